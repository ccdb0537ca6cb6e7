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
 * │             │ └ W3C trace context (traceparent), or -
 * │             └ where to report the outcome, or -
 * └ when the API received it, Unix time in milliseconds
 * }</pre>
 *
 * @param receivedAt when the API received the event, at a resolution of milliseconds
 * @param replyTo where to report the outcome, if somebody waits for it
 * @param traceParent the W3C trace context of the publish request; no spaces
 * @param event the event
 */
public record QueuedEvent(
        Instant receivedAt,
        @Nullable ReplyAddress replyTo,
        @Nullable String traceParent,
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
        // Between the tokens of JSON a line break is as good as a space, and within them there is none.
        String oneLine = json.indexOf('\n') < 0 ? json : json.replace('\n', ' ');
        return (receivedAt.toEpochMilli() + " " + (replyTo == null ? ABSENT : replyTo) + " " + ABSENT + " " + oneLine)
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
                    parts[2].equals(ABSENT) ? null : parts[2],
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
