package io.github.logaggregator.worker;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.Objects;
import java.util.function.Supplier;
import org.springframework.stereotype.Component;

/**
 * What the worker has done since it started:
 *
 * <ul>
 *   <li>{@code aggregator.claim.settle}: timer; one attempt to settle a claim, as the worker sees it, failed ones included
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
    private final Timer settle;
    private final Counter stored;
    private final Counter duplicate;
    private final Counter conflicting;
    private final Counter deadLettered;
    private final Counter expired;

    WorkerMetrics(MeterRegistry registry) {
        settle = Timer.builder("aggregator.claim.settle")
                .description("One settlement statement")
                .publishPercentileHistogram()
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

    void settled(Settlement settlement) {
        stored.increment((double) settlement.stored());
        duplicate.increment((double) settlement.duplicates());
        conflicting.increment((double) settlement.conflicting());
        deadLettered.increment((double) settlement.deadLettered());
    }

    void expired(long events) {
        expired.increment((double) events);
    }
}
