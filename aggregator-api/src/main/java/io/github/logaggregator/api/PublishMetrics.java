package io.github.logaggregator.api;

import io.github.logaggregator.model.PublishResponse;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.Objects;
import java.util.function.Supplier;
import org.springframework.stereotype.Component;

/**
 * What this process took and refused since it started:
 *
 * <ul>
 *   <li>{@code aggregator.publish}: timer; one publish request, from its headers to its answer, refused ones included
 *   <li>{@code aggregator.events.received}: counter; events that were queued. Over all API processes and their whole
 *       lives this is the books' received, less what was queued without the API learning of it
 *   <li>{@code aggregator.events.rejected{reason}}: counter; refused requests, by reason: a batch counts once, since
 *       nobody knows how many events there are in one that can't be read
 * </ul>
 */
@Component
class PublishMetrics {
    private final MeterRegistry registry;
    private final Timer publish;
    private final Counter received;

    PublishMetrics(MeterRegistry registry) {
        this.registry = registry;
        this.publish = Timer.builder("aggregator.publish")
                .description("One publish request")
                .publishPercentileHistogram()
                .register(registry);
        this.received = Counter.builder("aggregator.events.received")
                .description("Events queued")
                .register(registry);
    }

    PublishResponse timed(Supplier<PublishResponse> request) {
        try {
            PublishResponse response = Objects.requireNonNull(publish.record(request));
            received.increment(response.accepted());
            return response;
        } catch (Refusal e) {
            registry.counter("aggregator.events.rejected", "reason", e.reason()).increment();
            throw e;
        }
    }
}
