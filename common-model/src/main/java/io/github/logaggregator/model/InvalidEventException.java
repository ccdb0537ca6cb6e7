package io.github.logaggregator.model;

import java.util.List;

/** JSON that is well-formed, but breaks the rules of an event; nothing of its request may be taken. */
public final class InvalidEventException extends Exception {
    /** How many faults are listed at most; the rest is only counted. */
    public static final int MAX_LISTED = 100;

    private final transient List<EventFault> faults;
    private final int faultCount;

    InvalidEventException(List<EventFault> faults, int faultCount) {
        super(faults.getFirst().field() + " " + faults.getFirst().message());
        this.faults = List.copyOf(faults);
        this.faultCount = faultCount;
    }

    /** The first {@value #MAX_LISTED} faults, in the order of the request; never empty. */
    public List<EventFault> faults() {
        return faults;
    }

    /** How many faults there were, also those beyond the list. */
    public int faultCount() {
        return faultCount;
    }
}
