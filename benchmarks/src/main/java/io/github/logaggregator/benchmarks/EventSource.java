package io.github.logaggregator.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.github.logaggregator.model.Event;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Events of one size, a share of which come again, as they were or with another content. Their ids are those of this source
 * alone. For any number of threads.
 */
final class EventSource {
    private static final Instant TIMESTAMP = Instant.parse("2025-12-08T10:00:00Z");
    private static final String SOURCE = "benchmark";
    private static final int DIGITS = 12;
    private static final String END_OF_PAYLOAD = "\"}";

    private final String topic;
    private final String payload;
    private final double duplicateShare;
    private final boolean conflicting;
    private final String prefix = UUID.randomUUID() + "-";
    private final AtomicLong next = new AtomicLong();
    private final AtomicLong nextContent = new AtomicLong();

    /** An event's JSON, and where in it the number stands that makes its id: making bodies must cost the load little. */
    private final byte[] json;

    private final int numberAt;

    /**
     * @param topic of all of them
     * @param eventBytes size of an event's JSON, at least that of one with an empty payload
     * @param duplicateShare share of all events that were given before, 0 to below 1
     * @param conflicting whether no two events have the same payload, so that each duplicate differs from what is stored
     */
    EventSource(String topic, int eventBytes, double duplicateShare, boolean conflicting) {
        this.topic = topic;
        this.duplicateShare = duplicateShare;
        this.conflicting = conflicting;
        int frame = json(topic, id(0), "{\"text\":\"\"}").length() + (conflicting ? DIGITS : 0);
        if (eventBytes < frame) {
            throw new IllegalArgumentException("an event has at least " + frame + " bytes");
        }
        this.payload = "{\"text\":\"" + "x".repeat(eventBytes - frame + (conflicting ? DIGITS : 0)) + END_OF_PAYLOAD;
        String event = json(topic, id(0), payload);
        this.json = event.getBytes(US_ASCII);
        this.numberAt = event.indexOf(prefix) + prefix.length();
    }

    Event event() {
        String content = conflicting
                ? payload.substring(0, payload.length() - END_OF_PAYLOAD.length() - DIGITS)
                        + digits(nextContent.getAndIncrement())
                        + END_OF_PAYLOAD
                : payload;
        return new Event(topic, id(nextNumber()), TIMESTAMP, SOURCE, content);
    }

    /** The body of a request: one event, or an array of so many. */
    byte[] body(int events) {
        int brackets = events == 1 ? 0 : 1;
        byte[] body = new byte[events * (json.length + 1) - 1 + 2 * brackets];
        int end = 0;
        for (int i = 0; i < events; i++) {
            if (events > 1) {
                body[end++] = (byte) (i == 0 ? '[' : ',');
            }
            System.arraycopy(json, 0, body, end, json.length);
            write(nextNumber(), body, end + numberAt);
            end += json.length;
            if (conflicting) {
                write(nextContent.getAndIncrement(), body, end - "}".length() - END_OF_PAYLOAD.length() - DIGITS);
            }
        }
        if (events > 1) {
            body[end] = ']';
        }
        return body;
    }

    private long nextNumber() {
        long given = next.get();
        boolean again = given > 0 && ThreadLocalRandom.current().nextDouble() < duplicateShare;
        return again ? ThreadLocalRandom.current().nextLong(given) : next.getAndIncrement();
    }

    private String id(long number) {
        return prefix + digits(number);
    }

    private static String digits(long number) {
        byte[] digits = new byte[DIGITS];
        write(number, digits, 0);
        return new String(digits, US_ASCII);
    }

    /** Always as many digits. */
    private static void write(long number, byte[] into, int at) {
        long rest = number;
        for (int i = at + DIGITS - 1; i >= at; i--) {
            into[i] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
    }

    private static String json(String topic, String id, String payload) {
        return "{\"topic\":\"" + topic + "\",\"event_id\":\"" + id + "\",\"timestamp\":\"" + TIMESTAMP
                + "\",\"source\":\"" + SOURCE + "\",\"payload\":" + payload + "}";
    }
}
