package io.github.logaggregator.publisher;

import io.github.logaggregator.model.Event;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.SplittableRandom;
import java.util.UUID;

/** Makes events of which no two have the same {@code event_id}; with a seed, the same ones each time. */
final class EventGenerator implements Iterator<Event> {
    private static final Instant SEEDED_START = Instant.parse("2025-01-01T00:00:00Z");

    private final PublisherProperties properties;
    private final InstantSource clock;
    private final SplittableRandom random;
    private final long total;
    private final String filler;
    private long made;

    /** @param total how many events to make */
    EventGenerator(PublisherProperties properties, InstantSource clock, long total) {
        this.properties = properties;
        this.clock = clock;
        this.random = properties.seed() == null ? new SplittableRandom() : new SplittableRandom(properties.seed());
        this.total = total;
        this.filler = "x".repeat(properties.payloadSize());
    }

    @Override
    public boolean hasNext() {
        return made < total;
    }

    @Override
    public Event next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        made++;
        String topic =
                properties.topics().get(random.nextInt(properties.topics().size()));
        return new Event(topic, id().toString(), timestamp(), "publisher", payload());
    }

    /** A fresh id must differ from those of every other run; the shared 64 bits of a seed are too few for that. */
    private UUID id() {
        if (properties.seed() == null) {
            return UUID.randomUUID();
        }
        long version4 = (random.nextLong() & ~0xF000L) | 0x4000L;
        long variant = (random.nextLong() >>> 2) | Long.MIN_VALUE;
        return new UUID(version4, variant);
    }

    private Instant timestamp() {
        return properties.seed() == null
                ? clock.instant().truncatedTo(ChronoUnit.MICROS)
                : SEEDED_START.plusMillis(made);
    }

    private String payload() {
        int cents = random.nextInt(100, 100_000);
        String payload = "{\"number\":" + made + ",\"amount\":" + cents / 100 + "." + cents / 10 % 10 + cents % 10;
        String open = ",\"filler\":\"";
        int missing = properties.payloadSize() - payload.length() - 1;
        return missing <= 0
                ? payload + "}"
                : payload + open + filler.substring(0, Math.max(0, missing - open.length() - 1)) + "\"}";
    }
}
