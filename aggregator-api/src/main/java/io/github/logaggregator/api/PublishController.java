package io.github.logaggregator.api;

import io.github.logaggregator.api.BodiesInHand.Body;
import io.github.logaggregator.model.EventParser;
import io.github.logaggregator.model.InvalidEventException;
import io.github.logaggregator.model.MalformedJsonException;
import io.github.logaggregator.model.PublishRequest;
import io.github.logaggregator.model.PublishResponse;
import jakarta.servlet.http.HttpServletRequest;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/**
 * {@code POST /publish}: takes a request's events, all or none. What it answers with 200 or 202 is on the queue, on disk,
 * or settled.
 */
@RestController
class PublishController {
    private final BodiesInHand bodies;
    private final EventQueueWriter queue;
    private final EventQueueReplies replies;
    private final ApiProperties properties;
    private final PublishMetrics metrics;

    PublishController(
            BodiesInHand bodies,
            EventQueueWriter queue,
            EventQueueReplies replies,
            ApiProperties properties,
            PublishMetrics metrics) {
        this.bodies = bodies;
        this.queue = queue;
        this.replies = replies;
        this.properties = properties;
        this.metrics = metrics;
    }

    @PostMapping(
            path = "/publish",
            consumes = MediaType.APPLICATION_JSON_VALUE,
            produces = MediaType.APPLICATION_JSON_VALUE)
    Object publish(HttpServletRequest request, @RequestParam(required = false) @Nullable String wait) {
        return metrics.timed(() -> {
            Duration patience = wait == null ? Duration.ZERO : WaitingRequest.patience(wait);
            try (Body body = bodies.read(request)) {
                PublishRequest events = parse(body.bytes());
                return patience.isZero() ? queue(events) : queueAndWait(events, patience);
            }
        });
    }

    private PublishResponse queue(PublishRequest events) {
        queue.enqueue(events.events(), null);
        return received(PublishResponse.queued(events));
    }

    /** Of the events, what is returned holds nothing: it may be in memory for long, and many others with it. */
    private CompletableFuture<ResponseEntity<PublishResponse>> queueAndWait(PublishRequest events, Duration patience) {
        PublishResponse queued = PublishResponse.queued(events);
        WaitingRequest waiting = replies.await(queued, patience);
        try {
            queue.enqueue(events.events(), waiting);
        } catch (RuntimeException e) {
            waiting.refuse(e);
            throw e;
        }
        received(queued);
        return waiting.settled()
                .thenApply(settled -> ResponseEntity.status(settled ? HttpStatus.OK : HttpStatus.ACCEPTED)
                        .body(waiting.answer()));
    }

    private PublishResponse received(PublishResponse response) {
        metrics.received(response.accepted());
        return response;
    }

    private PublishRequest parse(byte[] body) {
        try {
            PublishRequest request = EventParser.parseRequest(body);
            if (request.events().size() > properties.maxRequestEvents()) {
                throw Refusal.tooLarge("The request holds more than " + properties.maxRequestEvents()
                        + " events (api.max-request-events). Nothing was taken.");
            }
            return request;
        } catch (MalformedJsonException e) {
            throw Refusal.malformed(String.valueOf(e.getMessage()));
        } catch (InvalidEventException e) {
            throw Refusal.invalid(
                    e.faultCount() == 1
                            ? "The request has a fault. Nothing was taken."
                            : "The request has " + e.faultCount() + " faults. Nothing was taken.",
                    e.faults());
        }
    }
}
