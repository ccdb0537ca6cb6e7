package io.github.logaggregator.model;

import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.chrono.IsoChronology;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.format.ResolverStyle;
import java.time.temporal.ChronoUnit;
import java.time.temporal.TemporalAccessor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.exc.UnexpectedEndOfInputException;
import tools.jackson.core.json.DupDetector;
import tools.jackson.core.json.JsonFactory;

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
    private static final String USUAL_TIMESTAMP = "0000-00-00T00:00:00Z";
    private static final Instant FIRST_INSTANT = Instant.parse("0001-01-01T00:00:00Z");
    private static final Instant LAST_INSTANT = Instant.parse("+10000-01-01T00:00:00Z");

    // Names and numbers are bounded by the request's size and the rules below; numbers are never converted.
    private static final JsonFactory JSON = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(10 * MAX_DEPTH)
                    .maxNameLength(Integer.MAX_VALUE)
                    .maxStringLength(Integer.MAX_VALUE)
                    .maxNumberLength(Integer.MAX_VALUE)
                    .build())
            // Producers choose the keys of payloads: remembering them all would let the memory grow.
            .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
            .build();

    private static final DateTimeFormatter ISO_8601 = new DateTimeFormatterBuilder()
            .parseCaseInsensitive()
            .append(DateTimeFormatter.ISO_LOCAL_DATE_TIME)
            .optionalStart()
            // Leniently, +02:00, +0200 and +02 are all read.
            .parseLenient()
            .appendOffset("+HH", "Z")
            .parseStrict()
            .optionalEnd()
            .toFormatter(Locale.ROOT)
            .withChronology(IsoChronology.INSTANCE)
            .withResolverStyle(ResolverStyle.STRICT);

    private final String json;
    private final JsonParser parser;
    private final List<EventFault> faults = new ArrayList<>();
    private int faultCount;
    private int index;
    private long grownBy;

    private EventParser(String json) {
        this.json = json;
        this.parser = JSON.createParser(ObjectReadContext.empty(), json);
    }

    /**
     * Reads the body of {@code POST /publish}: one event object, an array of them, or {@code {"events": [...]}}.
     *
     * @throws MalformedJsonException if it is no JSON in UTF-8
     * @throws InvalidEventException if any event breaks a rule; names every fault, by the event's index
     */
    public static PublishRequest parseRequest(byte[] body) throws MalformedJsonException, InvalidEventException {
        return new EventParser(utf8(body)).request();
    }

    /**
     * Reads one event object.
     *
     * @throws MalformedJsonException if it is no JSON
     * @throws InvalidEventException if it breaks a rule
     */
    public static Event parseEvent(String json) throws MalformedJsonException, InvalidEventException {
        return new EventParser(json).one();
    }

    /** What keeps a text from being a topic, event_id or source, if anything does. */
    public static Optional<String> faultOfName(String name) {
        int length = name.codePointCount(0, name.length());
        if (length < 1 || length > MAX_NAME_LENGTH) {
            return Optional.of("must have 1 to " + MAX_NAME_LENGTH + " characters, not " + length);
        }
        for (int i = 0; i < name.length(); i++) {
            if (Character.isISOControl(name.charAt(i))) {
                return Optional.of("must not hold control characters");
            }
        }
        return hasUnpairedSurrogate(name) ? Optional.of("must not hold unpaired surrogates") : Optional.empty();
    }

    /** Decodes UTF-8 (RFC 3629) strictly: what can't be decoded is never replaced. */
    static String utf8(byte[] bytes) throws MalformedJsonException {
        String text = new String(bytes, StandardCharsets.UTF_8);
        // The quick way marks what it could not decode, but the mark may have been sent, too.
        if (text.indexOf('\uFFFD') >= 0) {
            try {
                text = StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(bytes))
                        .toString();
            } catch (CharacterCodingException e) {
                throw new MalformedJsonException("The text is not valid UTF-8.");
            }
        }
        // RFC 8259, section 8.1: a reader may ignore a byte order mark.
        return text.startsWith("\uFEFF") ? text.substring(1) : text;
    }

    private Event one() throws MalformedJsonException, InvalidEventException {
        List<SentEvent> events = new ArrayList<>();
        read(() -> {
            parser.nextToken();
            event(events, startOfToken());
        });
        return events.getFirst().event();
    }

    private PublishRequest request() throws MalformedJsonException, InvalidEventException {
        List<SentEvent> events = new ArrayList<>();
        boolean[] single = {false};
        read(() -> {
            JsonToken first = parser.nextToken();
            int start = startOfToken();
            if (first == JsonToken.START_ARRAY) {
                events(events);
            } else if (parser.currentToken() == JsonToken.START_OBJECT && "events".equals(parser.nextName())) {
                parser.nextToken();
                events(events);
                while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                    index = 0;
                    unknown(parser.currentName());
                }
            } else {
                single[0] = true;
                event(events, start);
            }
            if (events.isEmpty() && faultCount == 0) {
                fault("events", "must hold at least one event");
            }
        });
        return new PublishRequest(events, single[0]);
    }

    private void read(Runnable document) throws MalformedJsonException, InvalidEventException {
        try (parser) {
            document.run();
            if (parser.nextToken() != null) {
                throw new MalformedJsonException("There is text behind the end of the JSON, at " + place() + ".");
            }
        } catch (StreamConstraintsException e) {
            fault("", "nests too deeply or holds a text that is too long");
        } catch (UnexpectedEndOfInputException e) {
            throw new MalformedJsonException("The JSON ends too early, at " + place() + ".");
        } catch (JacksonException e) {
            throw new MalformedJsonException("The text is not well-formed JSON, at " + place() + ".");
        }
        if (faultCount > 0) {
            throw new InvalidEventException(faults, faultCount);
        }
    }

    private String place() {
        TokenStreamLocation location = parser.currentLocation();
        return "line " + location.getLineNr() + ", column " + location.getColumnNr();
    }

    private void events(List<SentEvent> events) {
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            fault("events", "must be an array");
            parser.skipChildren();
            return;
        }
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            event(events, startOfToken());
            index++;
        }
    }

    /**
     * Reads the event at the current token, which its opening brace may already lie behind.
     *
     * @param start where in the text the brace is
     */
    private void event(List<SentEvent> events, int start) {
        if (parser.currentToken() == JsonToken.START_OBJECT) {
            parser.nextToken();
        } else if (parser.currentToken() == null) {
            throw new UnexpectedEndOfInputException(parser, JsonToken.NOT_AVAILABLE, "nothing");
        } else if (parser.currentToken() != JsonToken.PROPERTY_NAME && parser.currentToken() != JsonToken.END_OBJECT) {
            fault("", "must be a JSON object");
            parser.skipChildren();
            return;
        }
        int faultsBefore = faultCount;
        Set<String> seen = new HashSet<>();
        String topic = null;
        String eventId = null;
        Instant timestamp = null;
        String source = null;
        String payload = null;
        for (; parser.currentToken() == JsonToken.PROPERTY_NAME; parser.nextToken()) {
            String field = parser.currentName();
            if (!seen.add(field)) {
                fault(field, "stands there twice");
            }
            switch (field) {
                case "topic" -> topic = name(field);
                case "event_id" -> eventId = name(field);
                case "timestamp" -> timestamp = timestamp(field);
                case "source" -> source = name(field);
                case "payload" -> payload = payload(field);
                default -> unknown(field);
            }
        }
        for (String field : FIELDS) {
            if (!seen.contains(field)) {
                fault(field, "is missing");
            }
        }
        if (faultCount == faultsBefore
                && topic != null
                && eventId != null
                && timestamp != null
                && source != null
                && payload != null) {
            events.add(new SentEvent(
                    new Event(topic, eventId, timestamp, source, payload), json.substring(start, endOfToken())));
        }
    }

    private void unknown(String field) {
        fault(field, "is no field of an event; what is particular to yours belongs into the payload");
        parser.nextToken();
        parser.skipChildren();
    }

    private @Nullable String string(String field) {
        if (parser.nextToken() == JsonToken.VALUE_STRING) {
            return parser.getString();
        }
        fault(field, "must be a string");
        parser.skipChildren();
        return null;
    }

    private @Nullable String name(String field) {
        String name = string(field);
        if (name == null) {
            return null;
        }
        faultOfName(name).ifPresent(fault -> fault(field, fault));
        return name;
    }

    private @Nullable Instant timestamp(String field) {
        String text = string(field);
        if (text == null) {
            return null;
        }
        try {
            Instant instant = isUsual(text) ? usual(text) : anyOf8601(text);
            if (instant.isBefore(FIRST_INSTANT) || !instant.isBefore(LAST_INSTANT)) {
                fault(field, "must lie in the years 1 to 9999");
            }
            return instant.truncatedTo(ChronoUnit.MICROS);
        } catch (DateTimeException e) {
            fault(field, "must be a time as of ISO 8601, such as 2025-12-08T10:00:00Z");
            return null;
        }
    }

    private static Instant anyOf8601(String text) {
        TemporalAccessor time = ISO_8601.parseBest(text, OffsetDateTime::from, LocalDateTime::from);
        return time instanceof OffsetDateTime withOffset
                ? withOffset.toInstant()
                : LocalDateTime.from(time).toInstant(ZoneOffset.UTC);
    }

    /**
     * Whether a timestamp has the form that most producers write, {@value #USUAL_TIMESTAMP} or with a fraction. Read by
     * the formatter, which knows all the others, it would take half of the time of the whole event.
     */
    private static boolean isUsual(String text) {
        int last = text.length() - 1;
        int seconds = USUAL_TIMESTAMP.length() - 1;
        boolean hasLength = last == seconds || (last > seconds + 1 && last <= seconds + 10);
        if (!hasLength || text.charAt(last) != 'Z') {
            return false;
        }
        for (int i = 0; i < last; i++) {
            char c = text.charAt(i);
            char pattern = i < seconds ? USUAL_TIMESTAMP.charAt(i) : i == seconds ? '.' : '0';
            if (pattern == '0' ? (c < '0' || c > '9') : c != pattern) {
                return false;
            }
        }
        return true;
    }

    private static Instant usual(String text) {
        int last = text.length() - 1;
        int nanos = 0;
        for (int i = 20; i < 29; i++) {
            nanos = 10 * nanos + (i < last ? text.charAt(i) - '0' : 0);
        }
        return LocalDateTime.of(
                        number(text, 0, 4),
                        number(text, 5, 7),
                        number(text, 8, 10),
                        number(text, 11, 13),
                        number(text, 14, 16),
                        number(text, 17, 19),
                        nanos)
                .toInstant(ZoneOffset.UTC);
    }

    private static int number(String text, int from, int to) {
        return Integer.parseInt(text, from, to, 10);
    }

    /** Goes through the whole payload and gives its text as it was sent. */
    private @Nullable String payload(String field) {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            fault(field, "must be a JSON object");
            parser.skipChildren();
            return null;
        }
        int start = startOfToken();
        grownBy = 0;
        List<DupDetector> names = new ArrayList<>();
        int depth = 0;
        do {
            JsonToken token = parser.currentToken();
            switch (token) {
                case START_OBJECT, START_ARRAY -> {
                    if (depth == MAX_DEPTH) {
                        fault(field, "must not nest deeper than " + MAX_DEPTH + " objects and arrays");
                        parser.skipChildren();
                    } else {
                        if (depth == names.size()) {
                            names.add(DupDetector.rootDetector(parser));
                        }
                        names.get(depth++).reset();
                    }
                }
                case END_OBJECT, END_ARRAY -> depth--;
                case PROPERTY_NAME -> {
                    String name = parser.currentName();
                    if (names.get(depth - 1).isDup(name)) {
                        fault(field, "must not hold a key twice in one object" + where());
                    }
                    checkText(field, name);
                }
                case VALUE_STRING -> checkText(field, stringCharacters());
                case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> checkNumber(field, parser.getString());
                default -> {}
            }
        } while (depth > 0 && parser.nextToken() != null);
        return json.substring(start, endOfToken());
    }

    private int startOfToken() {
        return (int) parser.currentTokenLocation().getCharOffset();
    }

    private int endOfToken() {
        return (int) parser.currentLocation().getCharOffset();
    }

    /** The current token's text, without a copy. */
    private CharSequence stringCharacters() {
        return CharBuffer.wrap(parser.getStringCharacters(), parser.getStringOffset(), parser.getStringLength());
    }

    private void checkText(String field, CharSequence text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) == 0) {
                fault(field, "must not hold the character NUL" + where());
                return;
            }
        }
        if (hasUnpairedSurrogate(text)) {
            fault(field, "must not hold unpaired surrogates" + where());
        }
    }

    private static boolean hasUnpairedSurrogate(CharSequence text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isSurrogate(c)) {
                if (Character.isLowSurrogate(c)
                        || i + 1 == text.length()
                        || !Character.isLowSurrogate(text.charAt(i + 1))) {
                    return true;
                }
                i++;
            }
        }
        return false;
    }

    private void checkNumber(String field, String number) {
        long digits = number.length() > MAX_NUMBER_LENGTH ? number.length() : digitsWrittenOut(number);
        if (digits > MAX_NUMBER_LENGTH) {
            fault(field, "must not hold numbers of more than " + MAX_NUMBER_LENGTH + " digits" + where());
            return;
        }
        long before = grownBy;
        grownBy += Math.max(0, digits - number.length());
        if (before <= MAX_GROWTH && grownBy > MAX_GROWTH) {
            fault(field, "must not grow by more than " + MAX_GROWTH + " digits when its numbers are written out");
        }
    }

    /** How long PostgreSQL writes a number, which knows no exponents. */
    private static long digitsWrittenOut(String number) {
        try {
            BigDecimal decimal = new BigDecimal(number);
            if (decimal.scale() > 0) {
                return Math.max(decimal.precision(), decimal.scale() + 1L);
            }
            return decimal.signum() == 0 ? 1 : (long) decimal.precision() - decimal.scale();
        } catch (NumberFormatException e) {
            return Long.MAX_VALUE; // the exponent is beyond all measure
        }
    }

    /** Where in the payload the parser is. */
    private String where() {
        String pointer = parser.streamReadContext().pathAsPointer().toString();
        int start = pointer.indexOf("/payload");
        return ", at " + pointer.substring(start, Math.min(pointer.length(), start + 200));
    }

    private void fault(String field, String message) {
        if (faultCount++ < InvalidEventException.MAX_LISTED) {
            faults.add(new EventFault(index, field, message));
        }
    }
}
