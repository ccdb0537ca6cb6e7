package io.github.logaggregator.model;

import java.util.ArrayList;
import java.util.List;

/** What is wrong with the events of a request, one event after the other: all is counted, and the first of it listed. */
final class EventFaults {
    private final List<EventFault> listed = new ArrayList<>();
    private int count;
    private int index;

    /** Notes a fault of the current event. */
    void add(String field, String message) {
        if (count++ < InvalidEventException.MAX_LISTED) {
            listed.add(new EventFault(index, field, message));
        }
    }

    /** Notes a fault of the request, beside its events. */
    void addToRequest(String field, String message) {
        index = 0;
        add(field, message);
    }

    void nextEvent() {
        index++;
    }

    int count() {
        return count;
    }

    /** @throws InvalidEventException if there is any */
    void check() throws InvalidEventException {
        if (count > 0) {
            throw new InvalidEventException(listed, count);
        }
    }
}
