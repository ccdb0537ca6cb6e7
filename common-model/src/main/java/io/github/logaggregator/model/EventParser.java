package io.github.logaggregator.model;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * Makes events from JSON, and is the one place that holds the rules an event must meet. It reads the text once, as a
 * stream, builds no tree, and keeps each payload as the text that was sent.
 *
 * <p>What PostgreSQL or a reader could not give back as it was sent is refused here, never changed in silence: control
 * characters in names, NUL and unpaired surrogates anywhere, a key twice in one object, nesting beyond {@value
 * #MAX_DEPTH}, numbers that would be longer than {@value #MAX_NUMBER_LENGTH} digits if written out.
 */
public final class EventParser {
    /** The greatest length of topic, event_id and source, in Unicode characters. */
    public static final int MAX_NAME_LENGTH = 255;

    /** The deepest nesting of objects and arrays in a payload, the payload itself included. */
    public static final int MAX_DEPTH = 100;

    /** The most digits that a number of a payload may have when it is written out without an exponent. */
    public static final int MAX_NUMBER_LENGTH = 1_000;

    /** By how many digits a payload may grow when its numbers are written out without exponents. */
    public static final int MAX_GROWTH = 65_536;

    private static final List<String> FIELDS = List.of("topic", "event_id", "timestamp", "source", "payload");

    private final CheckedJson json;
    private final JsonParser parser;
    private final EventFaults faults;
    private final List<SentEvent> events;

    private EventParser(CheckedJson json, EventFaults faults, List<SentEvent> events) {
        this.json = json;
        this.parser = json.parser();
        this.faults = faults;
        this.events = events;
    }

    /**
     * Reads one event object, an array of them, or {@code {"events": [...]}}.
     *
     * @throws MalformedJsonException if it is no JSON in UTF-8
     * @throws InvalidEventException if any event breaks a rule; names every fault, by the event's index
     */
    public static PublishRequest parseRequest(byte[] body) throws MalformedJsonException, InvalidEventException {
        EventFaults faults = new EventFaults();
        CheckedJson json = new CheckedJson(CheckedJson.utf8(body), 1, faults);
        EventParser reader = new EventParser(json, faults, new ArrayList<>());
        boolean[] single = {false};
        json.read(() -> single[0] = reader.request());
        return PublishRequest.of(reader.events, single[0], faults);
    }

    /**
     * Reads NDJSON, one event object a line, as it comes: of what is not an event yet there is a line in memory. Lines
     * without anything count for nothing.
     *
     * @throws IOException if the stream can't be read
     * @throws MalformedJsonException if any line is no JSON in UTF-8
     * @throws InvalidEventException if any event breaks a rule; names every fault, by the event's index
     */
    public static PublishRequest parseLines(InputStream body)
            throws IOException, MalformedJsonException, InvalidEventException {
        EventFaults faults = new EventFaults();
        List<SentEvent> events = new ArrayList<>();
        // A decoder that is given to the reader refuses what it can't decode; one that the reader makes replaces it.
        BufferedReader lines = new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8.newDecoder()));
        try {
            String line = lines.readLine();
            for (int number = 1; line != null; number++) {
                String text = number == 1 ? CheckedJson.withoutByteOrderMark(line) : line;
                if (!text.isBlank()) {
                    CheckedJson json = new CheckedJson(text, number, faults);
                    EventParser reader = new EventParser(json, faults, events);
                    json.read(() -> reader.event(json.startOfToken()));
                    faults.nextEvent();
                }
                line = lines.readLine();
            }
        } catch (CharacterCodingException e) {
            throw MalformedJsonException.notUtf8();
        }
        return PublishRequest.of(events, false, faults);
    }

    /**
     * Reads one event object.
     *
     * @throws MalformedJsonException if it is no JSON
     * @throws InvalidEventException if it breaks a rule
     */
    public static Event parseEvent(String text) throws MalformedJsonException, InvalidEventException {
        EventFaults faults = new EventFaults();
        CheckedJson json = new CheckedJson(text, 1, faults);
        EventParser reader = new EventParser(json, faults, new ArrayList<>(1));
        json.read(() -> reader.event(json.startOfToken()));
        faults.check();
        return reader.events.getFirst().event();
    }

    /** What keeps a text from being a topic, event_id or source, if anything does. */
    public static Optional<String> faultOfName(String name) {
        int length = name.codePointCount(0, name.length());
        return length < 1 || length > MAX_NAME_LENGTH
                ? Optional.of("must have 1 to " + MAX_NAME_LENGTH + " characters, not " + length)
                : CheckedJson.faultOfCharacters(name);
    }

    /** Reads what stands at the current token, and tells whether it is a single event. */
    private boolean request() {
        int start = json.startOfToken();
        if (parser.currentToken() == JsonToken.START_ARRAY) {
            array();
        } else if (parser.currentToken() == JsonToken.START_OBJECT && "events".equals(parser.nextName())) {
            parser.nextToken();
            array();
            while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                String field = parser.currentName();
                parser.nextToken();
                faults.addToRequest(field, "is no field of a batch, which has events alone");
                parser.skipChildren();
            }
        } else {
            event(start);
            return true;
        }
        return false;
    }

    private void array() {
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            faults.add("events", "must be an array");
            parser.skipChildren();
            return;
        }
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            event(json.startOfToken());
            faults.nextEvent();
        }
    }

    /**
     * Reads the event at the current token, which its opening brace may already lie behind.
     *
     * @param start where in the text the brace is
     */
    private void event(int start) {
        if (parser.currentToken() == JsonToken.START_OBJECT) {
            parser.nextToken();
        } else if (parser.currentToken() != JsonToken.PROPERTY_NAME && parser.currentToken() != JsonToken.END_OBJECT) {
            faults.add("", "must be a JSON object");
            parser.skipChildren();
            return;
        }
        int faultsBefore = faults.count();
        Set<String> seen = new HashSet<>();
        String topic = null;
        String eventId = null;
        Instant timestamp = null;
        String source = null;
        String payload = null;
        for (; parser.currentToken() == JsonToken.PROPERTY_NAME; parser.nextToken()) {
            String field = parser.currentName();
            if (!seen.add(field)) {
                faults.add(field, "stands there twice");
            }
            parser.nextToken();
            switch (field) {
                case "topic" -> topic = name(field);
                case "event_id" -> eventId = name(field);
                case "timestamp" -> timestamp = timestamp(field);
                case "source" -> source = name(field);
                case "payload" -> payload = payload(field);
                default -> {
                    faults.add(field, "is no field of an event; what is particular to yours belongs into the payload");
                    parser.skipChildren();
                }
            }
        }
        for (String field : FIELDS) {
            if (!seen.contains(field)) {
                faults.add(field, "is missing");
            }
        }
        if (faults.count() == faultsBefore
                && topic != null
                && eventId != null
                && timestamp != null
                && source != null
                && payload != null) {
            events.add(new SentEvent(new Event(topic, eventId, timestamp, source, payload), json.textFrom(start)));
        }
    }

    private @Nullable String name(String field) {
        String name = json.string(field);
        if (name == null) {
            return null;
        }
        faultOfName(name).ifPresent(fault -> faults.add(field, fault));
        return name;
    }

    private @Nullable Instant timestamp(String field) {
        String text = json.string(field);
        return text == null ? null : Timestamps.parse(field, text, faults);
    }

    private @Nullable String payload(String field) {
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            faults.add(field, "must be a JSON object");
            parser.skipChildren();
            return null;
        }
        return json.value(field, MAX_DEPTH).text();
    }
}
