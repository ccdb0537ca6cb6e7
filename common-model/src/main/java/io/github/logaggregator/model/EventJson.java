package io.github.logaggregator.model;

import tools.jackson.databind.json.JsonMapper;

/** Writes events as JSON. The payload goes out as it came in; the timestamp in UTC, as ISO 8601. */
public final class EventJson {
    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private EventJson() {}

    /** One event as a JSON object in UTF-8, without line breaks of its own. */
    public static byte[] write(Event event) {
        return MAPPER.writeValueAsBytes(event);
    }

    /** A batch as {@code {"events": [...]}} in UTF-8. */
    public static byte[] write(Iterable<Event> events) {
        return MAPPER.writeValueAsBytes(new Batch(events));
    }

    /** An event, or what an event is made of, as JSON. */
    static String text(Object value) {
        return MAPPER.writeValueAsString(value);
    }

    private record Batch(Iterable<Event> events) {}
}
