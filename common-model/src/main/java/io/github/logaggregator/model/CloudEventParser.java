package io.github.logaggregator.model;

import io.github.logaggregator.model.CheckedJson.Value;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.json.DupDetector;
import tools.jackson.databind.util.RawValue;

/**
 * Makes events from <a href="https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md">CloudEvents 1.0</a>, and
 * loses nothing of them: what has no field of its own in an event stands in its payload, under {@value #KEY}.
 *
 * <table>
 * <caption>Where everything goes</caption>
 * <tr><td>type</td><td>topic</td></tr>
 * <tr><td>source</td><td>source</td></tr>
 * <tr><td>source and id</td><td>event_id: both with a space between, which no source can hold; where that is too long,
 *     {@code sha256:} and its hash</td></tr>
 * <tr><td>time</td><td>timestamp; if it is absent, the time of arrival</td></tr>
 * <tr><td>data that is an object</td><td>payload, to which {@value #KEY} is added</td></tr>
 * <tr><td>other data</td><td>payload's {@value #KEY}, as {@code data} or {@code data_base64}</td></tr>
 * <tr><td>id and all other attributes</td><td>payload's {@value #KEY}</td></tr>
 * </table>
 */
public final class CloudEventParser {
    /** The key of a payload under which stands what a CloudEvent has beside its data. */
    public static final String KEY = "cloudevent";

    /** The deepest nesting of objects and arrays in data, which may have to lie two levels deep in the payload. */
    public static final int MAX_DATA_DEPTH = EventParser.MAX_DEPTH - 2;

    private static final List<String> REQUIRED = List.of("specversion", "id", "source", "type");
    private static final Set<String> HAVE_FIELDS = Set.of("source", "type", "time");
    private static final Pattern ATTRIBUTE_NAME = Pattern.compile("[a-z0-9]+");
    private static final Pattern JSON_TYPE = Pattern.compile("[^;\\s]+[/+]json\\s*(;|$)");
    private static final Pattern OTHER_CHARSET = Pattern.compile(";\\s*charset=(?!\"?(utf-8|us-ascii)\"?\\s*(;|$))");
    private static final String CONTENT_TYPE = "datacontenttype";
    private static final String DATA = "data";
    private static final String DATA_BASE64 = "data_base64";

    private final Instant arrival;
    private final EventFaults faults = new EventFaults();
    private final List<SentEvent> events = new ArrayList<>();

    private CloudEventParser(Instant arrival) {
        this.arrival = arrival.truncatedTo(ChronoUnit.MICROS);
    }

    /**
     * Reads an event in structured mode, {@code application/cloudevents+json}.
     *
     * @param arrival the timestamp of an event without time
     * @throws MalformedJsonException if it is no JSON in UTF-8
     * @throws InvalidEventException if it is no CloudEvent 1.0, or can't be given back as it was sent
     */
    public static PublishRequest parseStructured(byte[] body, Instant arrival)
            throws MalformedJsonException, InvalidEventException {
        CloudEventParser reader = new CloudEventParser(arrival);
        CheckedJson json = new CheckedJson(CheckedJson.utf8(body), 1, reader.faults);
        json.read(() -> reader.event(json));
        return PublishRequest.of(reader.events, true, reader.faults);
    }

    /**
     * Reads a batch, {@code application/cloudevents-batch+json}.
     *
     * @param arrival the timestamp of events without time
     * @throws MalformedJsonException if it is no JSON in UTF-8
     * @throws InvalidEventException if any is no CloudEvent 1.0, or can't be given back as it was sent
     */
    public static PublishRequest parseBatch(byte[] body, Instant arrival)
            throws MalformedJsonException, InvalidEventException {
        CloudEventParser reader = new CloudEventParser(arrival);
        CheckedJson json = new CheckedJson(CheckedJson.utf8(body), 1, reader.faults);
        json.read(() -> reader.batch(json));
        return PublishRequest.of(reader.events, false, reader.faults);
    }

    /**
     * Makes an event from what binary mode sends: the attributes as headers, the data as they are.
     *
     * @param attributes the values by the attributes' names, datacontenttype included
     * @param data nothing if the event has none
     * @param arrival the timestamp of an event without time
     * @throws InvalidEventException if it is no CloudEvent 1.0, or can't be given back as it was sent
     */
    public static PublishRequest parseBinary(Map<String, String> attributes, byte[] data, Instant arrival)
            throws InvalidEventException {
        CloudEventParser reader = new CloudEventParser(arrival);
        Context context = reader.new Context();
        attributes.forEach(context::attribute);
        if (data.length > 0) {
            context.bytes = data;
        }
        context.complete();
        return PublishRequest.of(reader.events, true, reader.faults);
    }

    private void batch(CheckedJson json) {
        JsonParser parser = json.parser();
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            faults.add("", "must be a JSON array of CloudEvents");
            parser.skipChildren();
            return;
        }
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            event(json);
            faults.nextEvent();
        }
    }

    private void event(CheckedJson json) {
        JsonParser parser = json.parser();
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            faults.add("", "must be a JSON object");
            parser.skipChildren();
            return;
        }
        Context context = new Context();
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String name = parser.currentName();
            parser.nextToken();
            switch (name) {
                case DATA -> {
                    context.see(name);
                    context.data = json.value(name, MAX_DATA_DEPTH);
                }
                case DATA_BASE64 -> {
                    context.see(name);
                    context.base64(json.string(name));
                }
                default -> attribute(context, name, json);
            }
        }
        context.complete();
    }

    private void attribute(Context context, String name, CheckedJson json) {
        JsonParser parser = json.parser();
        switch (parser.currentToken()) {
            case VALUE_STRING -> context.attribute(name, parser.getString());
            case VALUE_TRUE, VALUE_FALSE -> context.attribute(name, parser.getBooleanValue());
            case VALUE_NUMBER_INT -> integer(context, name, parser.getString());
            // JSON event format, section 2.2: a null is as good as nothing.
            case VALUE_NULL -> {
                context.see(name);
                if (REQUIRED.contains(name)) {
                    faults.add(name, "is missing");
                }
            }
            default -> {
                context.see(name);
                faults.add(name, "must be a string, a boolean or an integer");
                parser.skipChildren();
            }
        }
    }

    private void integer(Context context, String name, String digits) {
        try {
            context.attribute(name, Integer.valueOf(digits));
        } catch (NumberFormatException e) {
            context.see(name);
            faults.add(name, "must be an integer of 32 bits");
        }
    }

    /** An event as far as it was read. */
    private final class Context {
        private final int faultsBefore = faults.count();
        private final Set<String> seen = new HashSet<>();
        private final Map<String, Object> kept = new LinkedHashMap<>();
        private @Nullable Value data;
        private byte @Nullable [] bytes;
        private @Nullable String id;
        private @Nullable String source;
        private @Nullable String type;
        private @Nullable Instant time = arrival;

        void see(String name) {
            if (!seen.add(name)) {
                faults.add(name, "stands there twice");
            }
        }

        /** @param value a String, Boolean or Integer */
        void attribute(String name, Object value) {
            see(name);
            switch (name) {
                case "id" -> id = text(name, value, CloudEventParser::faultOfText);
                case "source" -> source = uri(name, value, EventParser::faultOfName);
                case "type" -> type = text(name, value, EventParser::faultOfName);
                case "time" -> {
                    String text = text(name, value, CloudEventParser::faultOfText);
                    time = text == null ? null : Timestamps.parse(name, text, faults);
                }
                case "dataschema" -> uri(name, value, CloudEventParser::faultOfText);
                case "subject", CONTENT_TYPE -> text(name, value, CloudEventParser::faultOfText);
                case "specversion" -> {
                    if (!value.equals("1.0")) {
                        faults.add(name, "must be \"1.0\"");
                    }
                }
                default -> {
                    if (name.equals(DATA) || !ATTRIBUTE_NAME.matcher(name).matches()) {
                        faults.add(
                                name,
                                "is no attribute of a CloudEvent; their names have the letters a to z and digits");
                    } else if (value instanceof String) {
                        text(name, value, CheckedJson::faultOfCharacters);
                    }
                }
            }
            if (!HAVE_FIELDS.contains(name)) {
                kept.put(name, value);
            }
        }

        void base64(@Nullable String text) {
            try {
                if (text != null) {
                    bytes = Base64.getDecoder().decode(text);
                }
            } catch (IllegalArgumentException e) {
                faults.add(DATA_BASE64, "must be Base64");
            }
        }

        private @Nullable String text(String name, Object value, Function<String, Optional<String>> faultOf) {
            if (value instanceof String text) {
                faultOf.apply(text).ifPresent(fault -> faults.add(name, fault));
                return text;
            }
            faults.add(name, "must be a string");
            return null;
        }

        private @Nullable String uri(String name, Object value, Function<String, Optional<String>> faultOf) {
            String text = text(name, value, faultOf);
            try {
                return text == null ? null : new URI(text).toString();
            } catch (URISyntaxException e) {
                faults.add(name, "must be a URI");
                return null;
            }
        }

        /** Makes the event of what was read, if nothing is wrong with it. */
        void complete() {
            for (String name : REQUIRED) {
                if (!seen.contains(name)) {
                    faults.add(name, "is missing");
                }
            }
            if (data != null && seen.contains(DATA_BASE64)) {
                faults.add(DATA_BASE64, "must not stand beside data");
            } else if (bytes != null) {
                data(bytes, String.valueOf(kept.get(CONTENT_TYPE)).toLowerCase(Locale.ROOT));
            }
            if (faults.count() == faultsBefore && id != null && source != null && type != null && time != null) {
                Event event = new Event(type, eventId(source, id), time, source, payload());
                events.add(new SentEvent(event, EventJson.text(event)));
            }
        }

        /** Reads data that came as bytes, so that they are the same in each mode: as JSON, as text, or as what they are. */
        private void data(byte[] bytes, String contentType) {
            boolean utf8 = !OTHER_CHARSET.matcher(contentType).find();
            if (utf8 && JSON_TYPE.matcher(contentType).lookingAt() && bytes.length > 0) {
                try {
                    CheckedJson json = new CheckedJson(CheckedJson.utf8(bytes), 1, faults);
                    json.read(() -> data = json.value(DATA, MAX_DATA_DEPTH));
                } catch (MalformedJsonException e) {
                    faults.add(DATA, "must be JSON, as its content type says. " + e.getMessage());
                }
                return;
            }
            String text = new String(bytes, StandardCharsets.UTF_8);
            if (utf8 && contentType.startsWith("text/") && text.indexOf('\uFFFD') < 0 && text.indexOf('\0') < 0) {
                kept.put(DATA, text);
            } else {
                kept.put(DATA_BASE64, Base64.getEncoder().encodeToString(bytes));
            }
        }

        private String payload() {
            DupDetector keys = data == null ? null : data.keys();
            boolean isPayload = keys != null && !keys.isDup(KEY);
            if (data != null && !isPayload) {
                kept.put(DATA, new RawValue(data.text()));
            }
            String own = EventJson.text(Map.of(KEY, kept));
            if (data == null || !isPayload) {
                return own;
            }
            String members = data.text().substring(1).strip();
            return own.substring(0, own.length() - 1) + (members.equals("}") ? "" : ",") + members;
        }
    }

    private static Optional<String> faultOfText(String text) {
        return text.isEmpty() ? Optional.of("must not be empty") : CheckedJson.faultOfCharacters(text);
    }

    /**
     * One name for what CloudEvents identify by two. There is no space in a source, so the first one tells where the id
     * begins, and no hash looks like that.
     */
    private static String eventId(String source, String id) {
        String identity = source + " " + id;
        if (identity.codePointCount(0, identity.length()) <= EventParser.MAX_NAME_LENGTH) {
            return identity;
        }
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(identity.getBytes(StandardCharsets.UTF_8));
            return "sha256:" + HexFormat.of().formatHex(hash);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
