package io.github.logaggregator.api;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.springframework.stereotype.Component;

/**
 * What this process took since it started:
 *
 * <ul>
 *   <li>{@code aggregator.publish}: timer; one publish request, from its headers to its answer, refused ones included;
 *       of one that waits for the outcome of its events, until they are queued
 *   <li>{@code aggregator.publish.wait{ended}}: timer; the wait of a request, until its events were settled or it was given
 *       up; ended is settled or given_up
 *   <li>{@code aggregator.publish.waiting}: gauge; requests that wait
 *   <li>{@code aggregator.events.received}: counter; events that were queued. Over all API processes and their whole
 *       lives this is the books' received, less what was queued without the API learning of it
 * </ul>
 *
 * <p>{@link RefusedRequests} counts what it refused.
 */
@Component
class PublishMetrics {
    private final MeterRegistry registry;
    private final Timer publish;
    private final Counter received;
    private final Timer settled;
    private final Timer givenUp;

    PublishMetrics(MeterRegistry registry) {
        this.registry = registry;
        this.publish = Timer.builder("aggregator.publish")
                .description("One publish request")
                .publishPercentileHistogram()
                .register(registry);
        this.received = Counter.builder("aggregator.events.received")
                .description("Events queued")
                .register(registry);
        this.settled = wait(registry, "settled");
        this.givenUp = wait(registry, "given_up");
    }

    private static Timer wait(MeterRegistry registry, String ended) {
        return Timer.builder("aggregator.publish.wait")
                .description("The wait of a publish request for the outcome of its events")
                .tag("ended", ended)
                .register(registry);
    }

    void gaugeWaiting(Supplier<Number> waiting) {
        Gauge.builder("aggregator.publish.waiting", waiting)
                .description("Publish requests that wait for the outcome of their events")
                .register(registry);
    }

    void received(int events) {
        received.increment(events);
    }

    void waited(boolean untilSettled, long nanos) {
        (untilSettled ? settled : givenUp).record(nanos, TimeUnit.NANOSECONDS);
    }

    <T> T timed(Supplier<T> request) {
        return Objects.requireNonNull(publish.record(request));
    }
}
