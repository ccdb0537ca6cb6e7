package io.github.logaggregator.model;

import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonPointer;
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
 * A JSON text that is read once, as a stream: gives its values as the text they were sent as, and notes as faults what of
 * them could not be given back so.
 */
final class CheckedJson {
    // Names and numbers are bounded by the request's size and the rules below; numbers are never converted.
    private static final JsonFactory JSON = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(10 * EventParser.MAX_DEPTH)
                    .maxNameLength(Integer.MAX_VALUE)
                    .maxStringLength(Integer.MAX_VALUE)
                    .maxNumberLength(Integer.MAX_VALUE)
                    .build())
            // Producers choose the keys of payloads: remembering them all would let the memory grow.
            .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
            .build();

    private final String json;
    private final JsonParser parser;
    private final int line;
    private final EventFaults faults;
    private int levelsAbove;
    private long grownBy;

    /**
     * A text that no token has been read of.
     *
     * @param line which line of the request is the text's first, from 1
     * @param faults where to note what is wrong
     */
    CheckedJson(String json, int line, EventFaults faults) {
        this.json = json;
        this.parser = JSON.createParser(ObjectReadContext.empty(), json);
        this.line = line;
        this.faults = faults;
    }

    /**
     * A value that was read.
     *
     * @param text as it was sent
     * @param keys those of an object, which tell whether it has one; null if it is none
     */
    record Value(String text, @Nullable DupDetector keys) {}

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
                throw MalformedJsonException.notUtf8();
            }
        }
        return withoutByteOrderMark(text);
    }

    /** RFC 8259, section 8.1: a reader may ignore a byte order mark. */
    static String withoutByteOrderMark(String text) {
        return text.startsWith("\uFEFF") ? text.substring(1) : text;
    }

    /** What keeps a text from being one of a name's, whatever its length, if anything does. */
    static Optional<String> faultOfCharacters(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isISOControl(text.charAt(i))) {
                return Optional.of("must not hold control characters");
            }
        }
        return hasUnpairedSurrogate(text.toCharArray(), 0, text.length())
                ? Optional.of("must not hold unpaired surrogates")
                : Optional.empty();
    }

    /** The text's tokens. */
    JsonParser parser() {
        return parser;
    }

    /**
     * Reads the text from its beginning to its end.
     *
     * @param document reads its one value
     * @throws MalformedJsonException if it is no JSON
     */
    void read(Runnable document) throws MalformedJsonException {
        try (parser) {
            if (parser.nextToken() == null) {
                throw new MalformedJsonException("The JSON ends too early, at " + place() + ".");
            }
            document.run();
            if (parser.nextToken() != null) {
                throw new MalformedJsonException("There is text behind the end of the JSON, at " + place() + ".");
            }
        } catch (StreamConstraintsException e) {
            faults.add("", "nests too deeply or holds a text that is too long");
        } catch (UnexpectedEndOfInputException e) {
            throw new MalformedJsonException("The JSON ends too early, at " + place() + ".");
        } catch (JacksonException e) {
            throw new MalformedJsonException("The text is not well-formed JSON, at " + place() + ".");
        }
    }

    private String place() {
        TokenStreamLocation location = parser.currentLocation();
        return "line " + (location.getLineNr() + line - 1) + ", column " + location.getColumnNr();
    }

    /** Where in the text the current token starts. */
    int startOfToken() {
        return (int) parser.currentTokenLocation().getCharOffset();
    }

    /** The text from a place to the end of the current token. */
    String textFrom(int start) {
        return json.substring(start, (int) parser.currentLocation().getCharOffset());
    }

    /** The string that is the current field's value; null if it is something else, which is a fault. */
    @Nullable
    String string(String field) {
        if (parser.currentToken() == JsonToken.VALUE_STRING) {
            return parser.getString();
        }
        faults.add(field, "must be a string");
        parser.skipChildren();
        return null;
    }

    /**
     * Goes through the whole of the current field's value.
     *
     * @param maxDepth how deep objects and arrays may nest in it, itself included
     */
    Value value(String field, int maxDepth) {
        int start = startOfToken();
        JsonToken first = parser.currentToken();
        levelsAbove = parser.streamReadContext().getNestingDepth() - (first.isStructStart() ? 1 : 0);
        grownBy = 0;
        List<DupDetector> keys = new ArrayList<>();
        int depth = 0;
        do {
            JsonToken token = parser.currentToken();
            switch (token) {
                case START_OBJECT, START_ARRAY -> {
                    if (depth == maxDepth) {
                        faults.add(field, "must not nest deeper than " + maxDepth + " objects and arrays");
                        parser.skipChildren();
                    } else {
                        if (depth == keys.size()) {
                            keys.add(DupDetector.rootDetector(parser));
                        }
                        keys.get(depth++).reset();
                    }
                }
                case END_OBJECT, END_ARRAY -> depth--;
                case PROPERTY_NAME -> {
                    String name = parser.currentName();
                    if (keys.get(depth - 1).isDup(name)) {
                        faults.add(field, "must not hold a key twice in one object" + where(field));
                    }
                    checkText(field, name.toCharArray(), 0, name.length());
                }
                // Without a copy.
                case VALUE_STRING ->
                    checkText(field, parser.getStringCharacters(), parser.getStringOffset(), parser.getStringLength());
                case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> checkNumber(field, parser.getString());
                default -> {}
            }
        } while (depth > 0 && parser.nextToken() != null);
        return new Value(textFrom(start), first == JsonToken.START_OBJECT ? keys.getFirst() : null);
    }

    private void checkText(String field, char[] text, int start, int length) {
        for (int i = start; i < start + length; i++) {
            if (text[i] == 0) {
                faults.add(field, "must not hold the character NUL" + where(field));
                return;
            }
        }
        if (hasUnpairedSurrogate(text, start, length)) {
            faults.add(field, "must not hold unpaired surrogates" + where(field));
        }
    }

    private static boolean hasUnpairedSurrogate(char[] text, int start, int length) {
        int end = start + length;
        for (int i = start; i < end; i++) {
            char c = text[i];
            if (Character.isSurrogate(c)) {
                if (Character.isLowSurrogate(c) || i + 1 == end || !Character.isLowSurrogate(text[i + 1])) {
                    return true;
                }
                i++;
            }
        }
        return false;
    }

    private void checkNumber(String field, String number) {
        int most = EventParser.MAX_NUMBER_LENGTH;
        long digits = number.length() > most ? number.length() : digitsWrittenOut(number);
        if (digits > most) {
            faults.add(field, "must not hold numbers of more than " + most + " digits" + where(field));
            return;
        }
        long before = grownBy;
        grownBy += Math.max(0, digits - number.length());
        if (before <= EventParser.MAX_GROWTH && grownBy > EventParser.MAX_GROWTH) {
            faults.add(
                    field,
                    "must not grow by more than " + EventParser.MAX_GROWTH
                            + " digits when its numbers are written out");
        }
    }

    /** How long PostgreSQL writes a number, which knows no exponents. */
    private static long digitsWrittenOut(String number) {
        if (number.indexOf('e') < 0 && number.indexOf('E') < 0) {
            return number.length(); // at most
        }
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

    /** Where in the value the parser is. */
    private String where(String field) {
        JsonPointer pointer = parser.streamReadContext().pathAsPointer();
        for (int i = 0; i < levelsAbove; i++) {
            pointer = pointer.tail();
        }
        String path = "/" + field + pointer;
        return ", at " + path.substring(0, Math.min(path.length(), 200));
    }
}
