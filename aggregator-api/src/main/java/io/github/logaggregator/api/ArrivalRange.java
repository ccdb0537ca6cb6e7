package io.github.logaggregator.api;

import org.jspecify.annotations.Nullable;

/**
 * Events behind one place and before another, in the order of arrival or against it.
 *
 * @param after none at this place
 * @param before none at this place
 */
record ArrivalRange(Place after, Place before, boolean ascending) {
    /** All that are stored, the newest first. */
    static final ArrivalRange NEWEST_FIRST = new ArrivalRange(Place.FIRST, Place.LAST, false);

    /** What follows a place where a page has ended; null for the whole range. */
    ArrivalRange from(@Nullable Place place) {
        if (place == null) {
            return this;
        }
        return ascending ? within(place, before) : within(after, place);
    }

    /** The part of it that lies between two places. */
    ArrivalRange within(Place newAfter, Place newBefore) {
        return new ArrivalRange(
                after.compareTo(newAfter) > 0 ? after : newAfter,
                before.compareTo(newBefore) < 0 ? before : newBefore,
                ascending);
    }

    /**
     * A place in the order of arrival.
     *
     * @param xid the transaction in which an event was stored, and its generation; an unsigned number
     * @param number the event's number, which orders the events of a transaction
     */
    record Place(long xid, long number) implements Comparable<Place> {
        /** Before all events. */
        static final Place FIRST = new Place(0, 0);

        /** Behind all events. */
        static final Place LAST = new Place(-1, Long.MAX_VALUE);

        /** @throws IllegalArgumentException if the text is none */
        static Place parse(String text) {
            String[] parts = text.split("-", 2);
            if (parts.length < 2) {
                throw new IllegalArgumentException("not a place");
            }
            return new Place(Long.parseUnsignedLong(parts[0]), Long.parseLong(parts[1]));
        }

        /** The place before all events of a transaction. */
        static Place before(String xid) {
            return new Place(Long.parseUnsignedLong(xid), Long.MIN_VALUE);
        }

        @Override
        public int compareTo(Place other) {
            int byXid = Long.compareUnsigned(xid, other.xid);
            return byXid != 0 ? byXid : Long.compare(number, other.number);
        }

        @Override
        public String toString() {
            return Long.toUnsignedString(xid) + "-" + number;
        }
    }
}
