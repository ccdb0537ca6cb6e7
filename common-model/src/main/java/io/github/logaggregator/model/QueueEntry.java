package io.github.logaggregator.model;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * An element of the Redis list: some events that came together, each a line, as text that a human can read in redis-cli:
 *
 * <pre>{@code
 * 2 3
 * 1765188000123 - - {"topic":"orders","event_id":"1",…}
 * 1765188000123 - - {"topic":"orders","event_id":"2",…}
 * 1765188000124 - - {"topic":"payments","event_id":"1",…}
 * }</pre>
 *
 * <p>The first line has the version of the format and the number of events. {@link QueuedEvent} has the other ones.
 *
 * <p>What a queue costs is paid for each element, not for each byte, so few large ones are cheaper than many small ones.
 * A worker must read every version that an API of the release before it may have written, so that a rolling upgrade loses
 * nothing.
 */
public final class QueueEntry {
    /** The most events of an entry. */
    public static final int MAX_EVENTS = 100;

    /** An entry ends with the event that reaches so many bytes. */
    public static final int FULL_BYTES = 256 * 1024;

    /** The most bytes that an entry has beside its lines. */
    public static final int OVERHEAD = head(MAX_EVENTS).length;

    private QueueEntry() {}

    /**
     * The entry of some events.
     *
     * @param lines 1 to {@value #MAX_EVENTS} lines of {@link QueuedEvent}
     */
    public static byte[] encode(List<byte[]> lines) {
        byte[] head = head(lines.size());
        int length = head.length + lines.size() - 1;
        for (byte[] line : lines) {
            length += line.length;
        }
        byte[] entry = Arrays.copyOf(head, length);
        int end = head.length;
        for (byte[] line : lines) {
            if (end > head.length) {
                entry[end++] = '\n';
            }
            System.arraycopy(line, 0, entry, end, line.length);
            end += line.length;
        }
        return entry;
    }

    private static byte[] head(int events) {
        return ("2 " + events + "\n").getBytes(StandardCharsets.US_ASCII);
    }

    /**
     * The lines of an entry, always as many as the scripts in Redis take it to hold: what its first line says, or else
     * one. Where that is not what it holds, none of the lines can be decoded.
     */
    public static List<byte[]> lines(byte[] entry) {
        int events = 0;
        int end = 2;
        if (entry.length > 2 && entry[0] == '2' && entry[1] == ' ' && entry[2] != '0') {
            for (; end < entry.length && end < 5 && entry[end] >= '0' && entry[end] <= '9'; end++) {
                events = 10 * events + entry[end] - '0';
            }
        }
        if (events == 0 || end == entry.length || entry[end] != '\n') {
            return List.of(entry);
        }
        List<byte[]> lines = new ArrayList<>(events);
        int start = end + 1;
        for (int i = start; i <= entry.length; i++) {
            if (i == entry.length || entry[i] == '\n') {
                lines.add(Arrays.copyOfRange(entry, start, i));
                start = i + 1;
            }
        }
        if (lines.size() == events) {
            return lines;
        }
        List<byte[]> undecodable = new ArrayList<>(Collections.nCopies(events, new byte[0]));
        undecodable.set(0, entry);
        return undecodable;
    }
}
