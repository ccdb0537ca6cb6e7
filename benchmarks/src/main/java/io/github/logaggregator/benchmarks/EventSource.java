package io.github.logaggregator.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.github.logaggregator.model.Event;
import java.io.ByteArrayOutputStream;
import java.time.Instant;
import java.util.Arrays;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Events of one size, a share of which come again. Their ids are those of this source alone. For any number of threads.
 */
final class EventSource {
    private static final Instant TIMESTAMP = Instant.parse("2025-12-08T10:00:00Z");
    private static final String SOURCE = "benchmark";

    private final String topic;
    private final String payload;
    private final double duplicateShare;
    private final String prefix = UUID.randomUUID() + "-";
    private final AtomicLong next = new AtomicLong();

    /**
     * @param topic of all of them
     * @param eventBytes size of an event's JSON, at least that of one with an empty payload
     * @param duplicateShare share of all events that were given before, 0 to below 1
     */
    EventSource(String topic, int eventBytes, double duplicateShare) {
        this.topic = topic;
        this.duplicateShare = duplicateShare;
        int frame = json(topic, prefix + digits(0), "{\"text\":\"\"}").length();
        if (eventBytes < frame) {
            throw new IllegalArgumentException("an event has at least " + frame + " bytes");
        }
        this.payload = "{\"text\":\"" + "x".repeat(eventBytes - frame) + "\"}";
    }

    /** How many different events were given. */
    long distinct() {
        return next.get();
    }

    Event event() {
        return new Event(topic, id(), TIMESTAMP, SOURCE, payload);
    }

    /** The body of a request: one event, or an array of so many. */
    byte[] body(int events) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        for (int i = 0; i < events; i++) {
            if (events > 1) {
                body.write(i == 0 ? '[' : ',');
            }
            body.writeBytes(json(topic, id(), payload).getBytes(US_ASCII));
        }
        if (events > 1) {
            body.write(']');
        }
        return body.toByteArray();
    }

    private String id() {
        long given = next.get();
        boolean again = given > 0 && ThreadLocalRandom.current().nextDouble() < duplicateShare;
        return prefix + digits(again ? ThreadLocalRandom.current().nextLong(given) : next.getAndIncrement());
    }

    /** Always as many. */
    private static String digits(long number) {
        char[] digits = new char[12];
        Arrays.fill(digits, '0');
        String text = Long.toString(number);
        text.getChars(0, text.length(), digits, digits.length - text.length());
        return new String(digits);
    }

    private static String json(String topic, String id, String payload) {
        return "{\"topic\":\"" + topic + "\",\"event_id\":\"" + id + "\",\"timestamp\":\"" + TIMESTAMP
                + "\",\"source\":\"" + SOURCE + "\",\"payload\":" + payload + "}";
    }
}
