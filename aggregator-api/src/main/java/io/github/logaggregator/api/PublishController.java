package io.github.logaggregator.api;

import io.github.logaggregator.api.BodiesInHand.Body;
import io.github.logaggregator.api.PublishForms.PublishForm;
import io.github.logaggregator.model.EventFault;
import io.github.logaggregator.model.InvalidEventException;
import io.github.logaggregator.model.PublishRequest;
import io.github.logaggregator.model.PublishResponse;
import io.github.logaggregator.model.SentEvent;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * {@code POST /publish}: takes a request's events, all or none. What it answers with 200 or 202 is on the queue, on disk,
 * or settled.
 */
@RestController
class PublishController {
    private final PublishForms forms;
    private final BodiesInHand bodies;
    private final EventQueueWriter queue;
    private final EventQueueReplies replies;
    private final PublishMetrics metrics;

    PublishController(
            PublishForms forms,
            BodiesInHand bodies,
            EventQueueWriter queue,
            EventQueueReplies replies,
            PublishMetrics metrics) {
        this.forms = forms;
        this.bodies = bodies;
        this.queue = queue;
        this.replies = replies;
        this.metrics = metrics;
    }

    @PostMapping(path = "/publish", produces = MediaType.APPLICATION_JSON_VALUE)
    Object publish(HttpServletRequest request, @AuthenticationPrincipal ApiKey key) {
        return metrics.timed(() -> {
            Duration patience = patience(request);
            PublishForm form = forms.of(request);
            try (Body body = bodies.open(request)) {
                PublishRequest events = forms.read(form, body);
                refuseForbidden(events.events(), key);
                return patience.isZero() ? queue(events) : queueAndWait(events, patience);
            } catch (IOException e) {
                throw Refusal.malformed(String.valueOf(e.getMessage()));
            }
        });
    }

    /** How long to wait for the outcome. As an argument of the method the parameter would cost each request 6 µs more. */
    private static Duration patience(HttpServletRequest request) {
        String[] wait = request.getParameterValues("wait");
        return wait == null ? Duration.ZERO : WaitingRequest.patience(String.join(",", wait));
    }

    /** @throws Refusal if the key is not for the topic of every event (403) */
    private static void refuseForbidden(List<SentEvent> events, ApiKey key) {
        if (key.coversAll()) {
            return;
        }
        List<EventFault> faults = IntStream.range(0, events.size())
                .filter(index -> !key.covers(events.get(index).event().topic()))
                .limit(InvalidEventException.MAX_LISTED)
                .mapToObj(index -> new EventFault(index, "topic", "is not one that the key is for"))
                .toList();
        if (!faults.isEmpty()) {
            throw Refusal.forbidden(
                    "The key is for the topics " + key.topicsText() + " only. Nothing was taken.", faults);
        }
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
}
