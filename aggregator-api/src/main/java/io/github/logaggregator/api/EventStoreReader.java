package io.github.logaggregator.api;

import io.github.logaggregator.model.Event;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;

/** Reads events from PostgreSQL, a page at a time, newest first. */
@Component
class EventStoreReader {
    /** A page ends early rather than to hold more characters of payloads than this, whatever its limit... */
    private static final long MAX_PAGE_CHARACTERS = 4_000_000;

    /** ...or to take longer than this. */
    private static final Duration MAX_PAGE_TIME = Duration.ofSeconds(1);

    /**
     * Rows that the driver holds at once, and the server makes within a statement's time-out on a busy machine; any of
     * them may be as large as an event may be.
     */
    private static final int FETCH_SIZE = 4;

    /**
     * A page whose payloads take no more bytes than this in PostgreSQL, which may have compressed each to a hundredth, is
     * fetched in one go after its first rows.
     */
    private static final int SMALL_PAGE_BYTES = 64 * 1024;

    private final JdbcTemplate jdbc;
    private final TransactionTemplate transaction;
    private final StoreAccess postgresAccess;

    EventStoreReader(DataSource dataSource, TransactionTemplate transaction, StoreAccess postgresAccess) {
        this.jdbc = new JdbcTemplate(dataSource);
        this.jdbc.setFetchSize(FETCH_SIZE);
        this.transaction = transaction;
        this.postgresAccess = postgresAccess;
    }

    /**
     * Some events in the order of their arrival, the newest first.
     *
     * @param next where the next page starts; null if this is the last
     */
    record Page(List<Event> events, @Nullable Cursor next) {}

    /**
     * A place in the order of arrival.
     *
     * @param xid the transaction in which an event was stored
     * @param number the event's number, which orders the events of a transaction
     */
    record Cursor(String xid, long number) {
        /** @throws IllegalArgumentException if the text is no cursor */
        static Cursor parse(String text) {
            String[] parts = text.split("-", 2);
            if (parts.length < 2) {
                throw new IllegalArgumentException("not a cursor");
            }
            return new Cursor(Long.toUnsignedString(Long.parseUnsignedLong(parts[0])), Long.parseLong(parts[1]));
        }

        @Override
        public String toString() {
            return xid + "-" + number;
        }
    }

    private record Row(Event event, Cursor place) {}

    /**
     * Reads a page.
     *
     * @param topic only events of this topic; null for all
     * @param before only events that arrived before this place; null for the newest
     * @param limit how many events at most
     * @throws Refusal if PostgreSQL did not answer (503)
     */
    Page read(@Nullable String topic, @Nullable Cursor before, int limit) {
        List<Object> parameters = new ArrayList<>();
        String where = "true";
        if (topic != null) {
            // A range of one topic, read in the order of the topics: with topic = ? PostgreSQL may well go through all
            // topics in the order of arrival, which takes for ever when there has been nothing of this one for long.
            where = "topic >= ? AND "
                    + (before == null ? "topic <= ?" : "(topic, arrival_xid, arrival_number) < (?, ?::xid8, ?)");
            parameters.add(topic);
            parameters.add(topic);
        } else if (before != null) {
            where = "(arrival_xid, arrival_number) < (?::xid8, ?)";
        }
        if (before != null) {
            parameters.add(before.xid());
            parameters.add(before.number());
        }
        parameters.add(limit + 1); // one more, to know whether there is a next page
        String sql =
                """
                SELECT topic, event_id, ts, source, payload::text, arrival_xid::text AS xid, arrival_number,
                    sum(pg_column_size(payload)) OVER () AS page_bytes
                FROM (
                    SELECT *
                    FROM events
                    WHERE %1$s
                    ORDER BY %2$s
                    LIMIT ?
                ) AS page
                ORDER BY %2$s
                """.formatted(where, (topic == null ? "" : "topic DESC, ") + "arrival_xid DESC, arrival_number DESC");
        // The driver reads row by row only in a transaction.
        return postgresAccess.ask(() -> transaction.execute(status -> {
            try (Stream<Row> rows = jdbc.queryForStream(sql, EventStoreReader::row, parameters.toArray())) {
                return page(rows.iterator(), limit);
            }
        }));
    }

    private static Page page(Iterator<Row> rows, int limit) {
        List<Event> events = new ArrayList<>();
        long characters = 0;
        long deadline = System.nanoTime() + MAX_PAGE_TIME.toNanos();
        Row last = null;
        while (rows.hasNext()
                && events.size() < limit
                && characters < MAX_PAGE_CHARACTERS
                && (events.isEmpty() || System.nanoTime() < deadline)) {
            last = rows.next();
            events.add(last.event());
            characters += last.event().payload().length();
        }
        return new Page(events, last != null && rows.hasNext() ? last.place() : null);
    }

    private static Row row(ResultSet row, int number) throws SQLException {
        String payload = row.getString("payload");
        if (row.getLong("page_bytes") <= SMALL_PAGE_BYTES) {
            row.setFetchSize(0); // all that are left
        }
        return new Row(
                new Event(
                        row.getString("topic"),
                        row.getString("event_id"),
                        row.getObject("ts", OffsetDateTime.class).toInstant(),
                        row.getString("source"),
                        payload),
                new Cursor(row.getString("xid"), row.getLong("arrival_number")));
    }
}
