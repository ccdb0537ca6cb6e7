package io.github.logaggregator.tests;

import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.EventJson;
import io.github.logaggregator.model.QueueEntry;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.cfg.JsonNodeFeature;
import tools.jackson.databind.json.JsonMapper;

/** Events to send, and JSON compared to the digit. */
final class TestEvents {
    /** Keeps every digit of a decimal, trailing zeros included. */
    static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
            .build();

    /** More events than one entry of the queue holds. */
    static final int MORE = QueueEntry.MAX_EVENTS + 20;

    private TestEvents() {}

    static Event event(String topic, String eventId) {
        return new Event(topic, eventId, Instant.parse("2025-12-08T10:00:00Z"), "test", "{\"amount\":500}");
    }

    /** So many events, with the ids 0, 1, 2 … */
    static List<Event> events(String topic, int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> event(topic, Integer.toString(i)))
                .toList();
    }

    /** So many events, the last of which has an id by which it can be told on the wire, and lies in another entry. */
    static List<Event> moreThanAnEntryHolds(String topic) {
        return Stream.concat(events(topic, MORE - 1).stream(), Stream.of(event(topic, theLastOf(topic))))
                .toList();
    }

    static String theLastOf(String topic) {
        return "the last of " + topic;
    }

    /** An event whose payload has so many bytes. */
    static Event ofPayloadSize(String topic, String id, int bytes) {
        int frame = "{\"text\":\"\"}".length();
        return new Event(topic, id, Instant.EPOCH, "test", "{\"text\":\"" + "x".repeat(bytes - frame) + "\"}");
    }

    static String json(Event event) {
        return new String(EventJson.write(event), StandardCharsets.UTF_8);
    }

    static String json(List<Event> events) {
        return new String(EventJson.write(events), StandardCharsets.UTF_8);
    }

    static JsonNode tree(String json) {
        return JSON.readTree(json);
    }
}
