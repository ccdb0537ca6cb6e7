package io.github.logaggregator.model;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What lies on the Redis list, one for each event: fields of the transport, then the event, as text that a human can
 * read in redis-cli:
 *
 * <pre>{@code
 * 1 1765188000123 - - {"topic":"orders","event_id":"…","timestamp":"…","source":"…","payload":{…}}
 * │ │             │ │ └ the event
 * │ │             │ └ W3C trace context (traceparent), or -
 * │ │             └ where to report the outcome, or -
 * │ └ when the API received it, Unix time in milliseconds
 * └ version of the format
 * }</pre>
 *
 * <p>A worker must read every version that an API of the release before it may have written, so that a rolling upgrade
 * loses nothing.
 *
 * @param receivedAt when the API received the event, at a resolution of milliseconds
 * @param replyTo where to report the outcome; no spaces
 * @param traceParent the W3C trace context of the publish request; no spaces
 * @param event the event
 */
public record QueueEntry(
        Instant receivedAt,
        @Nullable String replyTo,
        @Nullable String traceParent,
        Event event) {
    private static final String VERSION = "1";
    private static final String ABSENT = "-";
    private static final Instant LATEST = Instant.parse("9999-12-31T23:59:59Z");

    /** An entry for which nobody waits and that no trace follows. */
    public static QueueEntry of(Instant receivedAt, Event event) {
        return new QueueEntry(receivedAt, null, null, event);
    }

    /** The entry as it lies on the list. */
    public byte[] encode() {
        byte[] head = String.join(
                        " ",
                        VERSION,
                        Long.toString(receivedAt.toEpochMilli()),
                        replyTo == null ? ABSENT : replyTo,
                        traceParent == null ? ABSENT : traceParent,
                        "")
                .getBytes(StandardCharsets.UTF_8);
        byte[] body = EventJson.write(event);
        byte[] entry = new byte[head.length + body.length];
        System.arraycopy(head, 0, entry, 0, head.length);
        System.arraycopy(body, 0, entry, head.length, body.length);
        return entry;
    }

    /**
     * Reads what {@link #encode} wrote.
     *
     * @throws UndecodableEntryException if it is none of ours; the message says why
     */
    public static QueueEntry decode(byte[] entry) throws UndecodableEntryException {
        try {
            String[] parts = EventParser.utf8(entry).split(" ", 5);
            if (!parts[0].equals(VERSION)) {
                throw new UndecodableEntryException("not an entry of a known version");
            }
            if (parts.length < 5) {
                throw new UndecodableEntryException("an entry cut short");
            }
            return new QueueEntry(
                    receivedAt(parts[1]),
                    parts[2].equals(ABSENT) ? null : parts[2],
                    parts[3].equals(ABSENT) ? null : parts[3],
                    EventParser.parseEvent(parts[4]));
        } catch (NumberFormatException e) {
            throw new UndecodableEntryException("an entry without the time it was received");
        } catch (MalformedJsonException | InvalidEventException e) {
            // It may quote what was sent, and PostgreSQL must be able to hold it.
            throw new UndecodableEntryException(String.valueOf(e.getMessage()).replace('\0', '\uFFFD'));
        }
    }

    private static Instant receivedAt(String millis) {
        Instant instant = Instant.ofEpochMilli(Long.parseLong(millis));
        if (instant.isBefore(Instant.EPOCH) || instant.isAfter(LATEST)) {
            throw new NumberFormatException(millis);
        }
        return instant;
    }

    /** An entry that no API of ours wrote; it can never become an event. */
    public static final class UndecodableEntryException extends Exception {
        UndecodableEntryException(String message) {
            super(message);
        }
    }
}
