package io.github.logaggregator.worker;

import io.github.logaggregator.model.QueueKeys;
import io.github.logaggregator.model.QueuedEvent;
import io.github.logaggregator.model.TraceParent;
import io.micrometer.tracing.Link;
import io.micrometer.tracing.Span;
import io.micrometer.tracing.Tracer;
import java.util.LinkedHashSet;
import java.util.Set;
import org.springframework.stereotype.Component;

/**
 * Gives a claim whose events came with the spans of sampled requests a span of its own, which is linked to theirs, and lasts
 * until the claim is acknowledged or given up. A claim without such an event has none. Names are those of OpenTelemetry's
 * semantic conventions for messaging.
 */
@Component
class SettlementTracing {
    /** So many requests are linked, the first of the claim; OpenTelemetry's own bound of a span. */
    static final int MAX_LINKS = 128;

    private static final String QUEUE = QueueKeys.FIRST.queue();

    private final Tracer tracer;

    SettlementTracing(Tracer tracer) {
        this.tracer = tracer;
    }

    /** To be ended when the claim is out of hand. */
    Span start(Claim claim) {
        Set<TraceParent> requests = new LinkedHashSet<>();
        for (byte[] line : claim.lines()) {
            TraceParent request = QueuedEvent.traceParent(line);
            if (request != null && requests.add(request) && requests.size() == MAX_LINKS) {
                break;
            }
        }
        if (requests.isEmpty()) {
            return Span.NOOP;
        }
        Span.Builder span = tracer.spanBuilder()
                .setNoParent()
                .name("settle " + QUEUE)
                .kind(Span.Kind.CONSUMER)
                .tag("messaging.system", "redis")
                .tag("messaging.destination.name", QUEUE)
                .tag("messaging.operation.name", "settle")
                .tag("messaging.operation.type", "process")
                .tag("messaging.batch.message_count", claim.lines().size())
                .tag("aggregator.claim.id", claim.id().toString());
        requests.forEach(request -> span.addLink(new Link(tracer.traceContextBuilder()
                .traceId(request.traceId())
                .spanId(request.spanId())
                .sampled(true)
                .build())));
        return span.start();
    }

    /** Notes what became of the claim; all are 0 if another settlement counted. */
    static void settled(Span span, Settlement settlement) {
        span.tag("aggregator.events.stored", settlement.stored())
                .tag("aggregator.events.duplicate", settlement.duplicates())
                .tag("aggregator.events.conflicting", settlement.conflicting())
                .tag("aggregator.events.dead_lettered", settlement.deadLettered())
                .tag("aggregator.claim.counted", settlement.counted());
    }

    /** Notes why the claim is left to whoever takes it over. */
    static void failed(Span span, RuntimeException failure) {
        span.tag("error.type", failure.getClass().getSimpleName()).error(failure);
    }
}
