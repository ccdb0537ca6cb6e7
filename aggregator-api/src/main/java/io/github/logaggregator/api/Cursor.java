package io.github.logaggregator.api;

/**
 * A place in the order of arrival, that of a stored event or before all of them.
 *
 * <p>Only a stored event's place is given out: its transaction is on disk, so that no later one takes an id below it, even
 * after a crash of PostgreSQL.
 *
 * @param xid the place of the transaction in which an event was stored, as an unsigned number
 * @param number the event's number, which orders the events of a transaction
 */
record Cursor(long xid, long number) implements Comparable<Cursor> {
    static final Cursor BEGINNING = new Cursor(0, 0);

    /** @throws IllegalArgumentException if the text is no cursor */
    static Cursor parse(String text) {
        String[] parts = text.split("-", 2);
        if (parts.length < 2) {
            throw new IllegalArgumentException("not a cursor");
        }
        return new Cursor(Long.parseUnsignedLong(parts[0]), Long.parseLong(parts[1]));
    }

    /** As PostgreSQL reads it. */
    String xidText() {
        return Long.toUnsignedString(xid);
    }

    @Override
    public int compareTo(Cursor other) {
        int byXid = Long.compareUnsigned(xid, other.xid);
        return byXid == 0 ? Long.compare(number, other.number) : byXid;
    }

    @Override
    public String toString() {
        return xidText() + "-" + number;
    }
}
