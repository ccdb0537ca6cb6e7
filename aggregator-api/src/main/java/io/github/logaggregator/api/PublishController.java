package io.github.logaggregator.api;

import io.github.logaggregator.api.BodiesInHand.Body;
import io.github.logaggregator.api.PublishForms.PublishForm;
import io.github.logaggregator.model.InvalidEventException;
import io.github.logaggregator.model.MalformedJsonException;
import io.github.logaggregator.model.PublishRequest;
import io.github.logaggregator.model.PublishResponse;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;

/** {@code POST /publish}: takes a request's events, all or none. What it answers with 200 is on the queue, on disk. */
@RestController
class PublishController {
    private final PublishForms forms;
    private final BodiesInHand bodies;
    private final EventQueueWriter queue;
    private final ApiProperties properties;
    private final PublishMetrics metrics;

    PublishController(
            PublishForms forms,
            BodiesInHand bodies,
            EventQueueWriter queue,
            ApiProperties properties,
            PublishMetrics metrics) {
        this.forms = forms;
        this.bodies = bodies;
        this.queue = queue;
        this.properties = properties;
        this.metrics = metrics;
    }

    @PostMapping(path = "/publish", produces = MediaType.APPLICATION_JSON_VALUE)
    PublishResponse publish(HttpServletRequest request) {
        return metrics.timed(() -> {
            PublishForm form = forms.of(request);
            try (Body body = bodies.open(request)) {
                PublishRequest events = parse(form, body);
                queue.enqueue(events.events());
                return PublishResponse.queued(events);
            } catch (IOException e) {
                throw Refusal.malformed(String.valueOf(e.getMessage()));
            }
        });
    }

    private PublishRequest parse(PublishForm form, Body body) throws IOException {
        try {
            PublishRequest request = form.parse(body);
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
