package io.github.logaggregator.worker;

import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.springframework.stereotype.Component;

/**
 * What the worker has done since it started:
 *
 * <ul>
 *   <li>{@code aggregator.claim.settle}: timer; one attempt to settle a claim, as the worker sees it, failed ones included
 *   <li>{@code aggregator.claim.events}: summary; the events of each claim that it settled and that counted, so that its sum
 *       is that of {@code aggregator.events.settled} over all outcomes
 *   <li>{@code aggregator.claims.rescued}: counter; claims taken over since their lease ran out or another worker handed them
 *       back
 *   <li>{@code aggregator.event.latency}: timer; of each event of the outcome stored, from when an API received it to when
 *       its claim was settled, by the clocks of the two processes, at a resolution of a millisecond. What comes from an API
 *       whose clock is ahead counts as 0
 *   <li>{@code aggregator.events.settled{outcome}}: counter; outcome is stored, duplicate or dead_lettered. Over all
 *       workers and their whole lives this is the books' stored + duplicates + dead_lettered, less what a worker that was
 *       killed did not come to count
 *   <li>{@code aggregator.events.conflicting}: counter; those of the outcome duplicate whose content was not that of the
 *       stored event. Replayed dead letters are in neither
 *   <li>{@code aggregator.events.expired}: counter; events deleted at the end of their topic's retention
 * </ul>
 */
@Component
class WorkerMetrics {
    private final Clock clock;
    private final Timer settle;
    private final Timer latency;
    private final DistributionSummary claimEvents;
    private final Counter rescued;
    private final Counter stored;
    private final Counter duplicate;
    private final Counter conflicting;
    private final Counter deadLettered;
    private final Counter expired;

    WorkerMetrics(MeterRegistry registry) {
        clock = registry.config().clock();
        settle = Timer.builder("aggregator.claim.settle")
                .description("One settlement statement")
                .publishPercentileHistogram()
                .register(registry);
        // What has lain there while PostgreSQL was away is an hour late, too.
        latency = Timer.builder("aggregator.event.latency")
                .description("From an event's receipt by an API to the end of the settlement that stored it")
                .publishPercentileHistogram()
                .minimumExpectedValue(Duration.ofMillis(1))
                .maximumExpectedValue(Duration.ofHours(1))
                .register(registry);
        claimEvents = DistributionSummary.builder("aggregator.claim.events")
                .description("Events of a claim")
                .serviceLevelObjectives(1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
                .register(registry);
        rescued = Counter.builder("aggregator.claims.rescued")
                .description("Claims taken over from other workers")
                .register(registry);
        stored = settled(registry, "stored");
        duplicate = settled(registry, "duplicate");
        deadLettered = settled(registry, "dead_lettered");
        conflicting = Counter.builder("aggregator.events.conflicting")
                .description("Duplicates whose content is not that of the stored event")
                .register(registry);
        expired = Counter.builder("aggregator.events.expired")
                .description("Events deleted at the end of their topic's retention")
                .register(registry);
    }

    private static Counter settled(MeterRegistry registry, String outcome) {
        return Counter.builder("aggregator.events.settled")
                .description("Events settled in PostgreSQL")
                .tag("outcome", outcome)
                .register(registry);
    }

    Settlement timeSettlement(Supplier<Settlement> settlement) {
        return Objects.requireNonNull(settle.record(settlement));
    }

    /** To be called as soon as it is settled: until then the latencies last. */
    void settled(Settlement settlement) {
        if (settlement.counted()) {
            long now = clock.wallTime();
            settlement.storedReceived().forEach((received, events) -> {
                long millis = Math.max(0, now - received.toEpochMilli());
                for (long i = 0; i < events; i++) {
                    latency.record(millis, TimeUnit.MILLISECONDS);
                }
            });
            claimEvents.record((double) settlement.events());
        }
        stored.increment((double) settlement.stored());
        duplicate.increment((double) settlement.duplicates());
        conflicting.increment((double) settlement.conflicting());
        deadLettered.increment((double) settlement.deadLettered());
    }

    void rescued() {
        rescued.increment();
    }

    void expired(long events) {
        expired.increment((double) events);
    }
}
