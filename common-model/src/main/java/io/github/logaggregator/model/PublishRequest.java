package io.github.logaggregator.model;

import java.util.List;

/**
 * The body of {@code POST /publish}, in whichever form it came.
 *
 * @param events the events in the order sent; at least one
 * @param single whether the body was one event, whose id the answer then names
 */
public record PublishRequest(List<SentEvent> events, boolean single) {
    /** @throws InvalidEventException if there are faults, or no events */
    static PublishRequest of(List<SentEvent> events, boolean single, EventFaults faults) throws InvalidEventException {
        if (events.isEmpty() && faults.count() == 0) {
            faults.add("events", "must hold at least one event");
        }
        faults.check();
        return new PublishRequest(events, single);
    }
}
