package io.github.logaggregator.model;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * An event on its way through the queue: a line of a {@link QueueEntry}, fields of the transport and then the event, as
 * its producer wrote it:
 *
 * <pre>{@code
 * 1765188000123 - - {"topic":"orders","event_id":"…","timestamp":"…","source":"…","payload":{…}}
 * │             │ │ └ the event
 * │             │ └ the span of the publish request (traceparent), if it is sampled, or -
 * │             └ where to report the outcome, or -
 * └ when the API received it, Unix time in milliseconds
 * }</pre>
 *
 * @param receivedAt when the API received the event, at a resolution of milliseconds
 * @param replyTo where to report the outcome, if somebody waits for it
 * @param traceParent the span of the publish request, if that is sampled
 * @param event the event
 */
public record QueuedEvent(
        Instant receivedAt,
        @Nullable ReplyAddress replyTo,
        @Nullable TraceParent traceParent,
        Event event) {
    private static final String ABSENT = "-";

    /** From the year 2001 to 2286. */
    private static final int MILLIS_DIGITS = 13;

    /**
     * The line of an event that no trace follows.
     *
     * @param replyTo where to report the outcome; null if nobody waits for it
     * @param json the event as it was sent
     */
    public static byte[] encode(Instant receivedAt, @Nullable ReplyAddress replyTo, String json) {
        return encode(receivedAt, replyTo, null, json);
    }

    /**
     * The line of an event.
     *
     * @param replyTo where to report the outcome; null if nobody waits for it
     * @param traceParent the span of the publish request; null if it is not sampled
     * @param json the event as it was sent
     */
    public static byte[] encode(
            Instant receivedAt, @Nullable ReplyAddress replyTo, @Nullable TraceParent traceParent, String json) {
        // Between the tokens of JSON a line break is as good as a space, and within them there is none.
        String oneLine = json.indexOf('\n') < 0 ? json : json.replace('\n', ' ');
        return (receivedAt.toEpochMilli() + " " + (replyTo == null ? ABSENT : replyTo) + " "
                        + (traceParent == null ? ABSENT : traceParent) + " " + oneLine)
                .getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Reads a line.
     *
     * @throws UndecodableEntryException if it is none of ours; the message says why
     */
    public static QueuedEvent decode(byte[] line) throws UndecodableEntryException {
        try {
            String[] parts = CheckedJson.utf8(line).split(" ", 4);
            if (parts.length < 4 || parts[0].length() != MILLIS_DIGITS) {
                throw new UndecodableEntryException("not an entry of a known version");
            }
            return new QueuedEvent(
                    receivedAt(parts[0]),
                    replyTo(parts[1]),
                    parts[2].equals(ABSENT) ? null : TraceParent.parse(parts[2]),
                    EventParser.parseEvent(parts[3]));
        } catch (NumberFormatException e) {
            throw new UndecodableEntryException("an entry without the time it was received");
        } catch (MalformedJsonException | InvalidEventException e) {
            // It may quote what was sent, and PostgreSQL must be able to hold it.
            throw new UndecodableEntryException(String.valueOf(e.getMessage()).replace('\0', '\uFFFD'));
        }
    }

    /** Where to report the outcome of a line, be it one of ours or not; null if nowhere. */
    public static @Nullable ReplyAddress replyTo(byte[] line) {
        String[] parts = new String(line, StandardCharsets.UTF_8).split(" ", 3);
        return parts.length < 3 ? null : replyTo(parts[1]);
    }

    /**
     * The span of the publish request that a line came with, be it one of ours or not; null if that is not sampled. It looks
     * at no more than that field, since most lines have none.
     */
    public static @Nullable TraceParent traceParent(byte[] line) {
        int start = 0;
        for (int spaces = 0; spaces < 2; start++) {
            if (start == line.length) {
                return null;
            }
            if (line[start] == ' ') {
                spaces++;
            }
        }
        int end = start + TraceParent.LENGTH;
        return end < line.length && line[start] != '-' && line[end] == ' '
                ? TraceParent.parse(new String(line, start, TraceParent.LENGTH, StandardCharsets.ISO_8859_1))
                : null;
    }

    private static @Nullable ReplyAddress replyTo(String text) {
        try {
            return text.equals(ABSENT) ? null : ReplyAddress.parse(text);
        } catch (IllegalArgumentException e) {
            return null; // Whoever wrote it waits in vain; the event is none the worse for it.
        }
    }

    private static Instant receivedAt(String millis) {
        Instant instant = Instant.ofEpochMilli(Long.parseLong(millis));
        if (instant.isBefore(Instant.EPOCH)) {
            throw new NumberFormatException(millis);
        }
        return instant;
    }

    /** What no API of ours wrote; it can never become an event. */
    public static final class UndecodableEntryException extends Exception {
        UndecodableEntryException(String message) {
            super(message);
        }
    }
}
