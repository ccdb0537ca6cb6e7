package io.github.logaggregator.api;

import io.github.logaggregator.api.EventStoreTotals.Counts;
import io.github.logaggregator.api.Sampler.Sampling;
import io.github.logaggregator.api.Sampler.Topic;
import io.github.logaggregator.api.Sampler.Topics;
import io.github.logaggregator.model.Stats;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.MultiGauge.Row;
import io.micrometer.core.instrument.Tags;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/**
 * The whole system's figures, as the newest sample has them, the same at each API; NaN while the store that knows them does
 * not answer:
 *
 * <ul>
 *   <li>{@code aggregator.books{account}}: gauge; the events of each account of {@link Stats.Books}
 *   <li>{@code aggregator.queue.length}: gauge; events that are queued
 *   <li>{@code aggregator.queue.oldest.age}: gauge; how long the oldest of them has been waiting, in seconds; 0 if none is
 *   <li>{@code aggregator.queue.usage}: gauge; from 0 to 1, what of {@code api.queue.max-events} or of {@code
 *       api.queue.max-size} is taken, whichever is more
 *   <li>{@code aggregator.queue.rolled.back}: gauge; 1 if Redis was brought back from an older state, else 0
 *   <li>{@code aggregator.workers}: gauge; workers that live
 *   <li>{@code aggregator.topic.stored{topic}}, {@code aggregator.topic.duplicates{topic}}: gauges; of the {@value
 *       Sampler#MAX_TOPICS} topics with most events, and of the others together, as {@value #OTHERS}
 * </ul>
 */
@Component
class SampleMetrics {
    private static final String OTHERS = "(others)";

    private final MeterRegistry registry;
    private final MultiGauge stored;
    private final MultiGauge duplicates;
    private volatile @Nullable Sampling newest;

    /** The topics that have gauges of their own. */
    private volatile Set<String> topics = Set.of();

    SampleMetrics(MeterRegistry registry) {
        this.registry = registry;
        account("received", Stats.Books::received);
        account("stored", Stats.Books::stored);
        account("expired", Stats.Books::expired);
        account("duplicates", Stats.Books::duplicates);
        account("conflicting", Stats.Books::conflicting);
        account("dead_lettered", Stats.Books::deadLettered);
        account("queued", Stats.Books::queued);
        account("in_flight", Stats.Books::inFlight);
        account("unaccounted", Stats.Books::unaccounted);
        gauge(
                        "aggregator.queue.length",
                        sample -> sample.queue() == null ? null : sample.queue().queued())
                .description("Events queued")
                .register(registry);
        gauge(
                        "aggregator.queue.oldest.age",
                        sample -> sample.queue() == null ? null : sample.queue().oldestAgeSeconds())
                .description("How long the oldest queued event has been waiting")
                .baseUnit("seconds")
                .register(registry);
        gauge("aggregator.queue.usage", Sample::usage)
                .description("How much of the queue's bounds is taken")
                .register(registry);
        // Redis alone does not know.
        gauge(
                        "aggregator.queue.rolled.back",
                        sample -> sample.books() == null || sample.queue() == null
                                ? null
                                : sample.queue().rolledBack() ? 1 : 0)
                .description("Whether Redis was brought back from an older state")
                .register(registry);
        gauge("aggregator.workers", Sample::workers)
                .description("Workers that live")
                .register(registry);
        this.stored = MultiGauge.builder("aggregator.topic.stored")
                .description("Events stored of a topic")
                .register(registry);
        this.duplicates = MultiGauge.builder("aggregator.topic.duplicates")
                .description("Duplicates of a topic")
                .register(registry);
    }

    private void account(String account, ToLongFunction<Stats.Books> figure) {
        gauge("aggregator.books", sample -> sample.books() == null ? null : figure.applyAsLong(sample.books()))
                .description("Events of an account of the books")
                .tag("account", account)
                .register(registry);
    }

    private Gauge.Builder<Supplier<Number>> gauge(String name, Function<Sample, @Nullable Number> figure) {
        return Gauge.builder(name, () -> figure(sampling -> figure.apply(sampling.sample())));
    }

    private double figure(Function<Sampling, @Nullable Number> figure) {
        Sampling sampling = newest;
        Number number = sampling == null ? null : figure.apply(sampling);
        return number == null ? Double.NaN : number.doubleValue();
    }

    /** Takes a sample for the newest; for one thread. */
    void update(Sampling sampling) {
        newest = sampling;
        Topics told = sampling.topics();
        if (told == null) {
            return;
        }
        Set<String> names = told.largest().stream().map(Topic::name).collect(Collectors.toSet());
        // A topic of that name has to be one of them.
        names.remove(OTHERS);
        if (!names.equals(topics)) {
            topics = names;
            register(stored, Counts::stored);
            register(duplicates, Counts::duplicates);
        }
    }

    private void register(MultiGauge gauge, ToLongFunction<Counts> count) {
        List<Row<?>> rows = new ArrayList<>();
        for (String topic : topics) {
            rows.add(Row.of(
                    Tags.of("topic", topic),
                    () -> figure(sampling -> {
                        Counts counts = sampling.counts().get(topic);
                        return counts == null ? null : count.applyAsLong(counts);
                    })));
        }
        rows.add(Row.of(Tags.of("topic", OTHERS), () -> figure(sampling -> others(sampling, count))));
        gauge.register(rows, true);
    }

    private @Nullable Number others(Sampling sampling, ToLongFunction<Counts> count) {
        Set<String> told = topics;
        return sampling.topics() == null
                ? null
                : sampling.counts().entrySet().stream()
                        .filter(entry -> !told.contains(entry.getKey()))
                        .mapToLong(entry -> count.applyAsLong(entry.getValue()))
                        .sum();
    }
}
