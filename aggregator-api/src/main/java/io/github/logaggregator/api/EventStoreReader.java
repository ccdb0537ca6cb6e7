package io.github.logaggregator.api;

import io.github.logaggregator.api.ArrivalRange.Place;
import io.github.logaggregator.api.EventFilter.Period;
import io.github.logaggregator.model.Event;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.namedparam.NamedParameterJdbcTemplate;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;

/** Reads events from PostgreSQL, a page at a time, in the order of arrival or against it. */
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
     * Rows whose payloads take no more bytes than this in PostgreSQL, which may have compressed each to a hundredth, are
     * fetched in one go, once the first rows have told how large they are.
     */
    private static final int MAX_FETCH_BYTES = 64 * 1024;

    /**
     * The one event of a key. With topic = … and event_id = … PostgreSQL may go through all events of the topic, by the index of
     * their arrival, as long as it has no statistics of the table.
     */
    static final String BY_KEY = "(topic, event_id) >= (:topic, :event_id) AND (topic, event_id) <= (:topic, :event_id)"
            + " ORDER BY topic, event_id LIMIT 1";

    /** By how much at most the time an event was stored is out of the order of arrival; see arrival_at in the schema. */
    private static final Duration SLACK = Duration.ofMinutes(1);

    private final NamedParameterJdbcTemplate jdbc;
    private final TransactionTemplate transaction;
    private final EventStoreIndexes indexes;
    private final StoreAccess postgresAccess;

    EventStoreReader(
            DataSource dataSource,
            TransactionTemplate transaction,
            EventStoreIndexes indexes,
            StoreAccess postgresAccess) {
        JdbcTemplate template = new JdbcTemplate(dataSource);
        template.setFetchSize(FETCH_SIZE);
        this.jdbc = new NamedParameterJdbcTemplate(template);
        this.transaction = transaction;
        this.indexes = indexes;
        this.postgresAccess = postgresAccess;
    }

    /**
     * Some events, in the order that was asked for.
     *
     * @param next where the next page starts; null if this is the last
     */
    record Page(List<Event> events, @Nullable Place next) {}

    /** @param event null of a row that only tells where the page ends */
    private record Row(@Nullable Event event, Place place, boolean endsPage) {}

    /**
     * All that is stored now and before which nothing can come any more, the oldest first: what is committed later comes later.
     * Who follows it to the end and goes on from there misses nothing.
     *
     * @throws Refusal if PostgreSQL did not answer (503)
     */
    ArrivalRange oldestFirst() {
        String horizon = postgresAccess.ask(
                () -> jdbc.getJdbcTemplate().queryForObject("SELECT arrival_horizon()::text", String.class));
        return new ArrivalRange(Place.FIRST, Place.before(horizon), true);
    }

    /**
     * Reads a page.
     *
     * @param limit how many events at most
     * @throws Refusal if PostgreSQL did not answer (503)
     */
    Page read(EventFilter filter, ArrivalRange range, int limit) {
        // The driver reads row by row only in a transaction.
        return postgresAccess.ask(() -> transaction.execute(status -> {
            EventStoreSelection selection = EventStoreSelection.of(
                    filter, within(range, filter.arrival()), limit, indexes.find(filter.payload()));
            try (Stream<Row> rows =
                    jdbc.queryForStream(selection.sql(), selection.parameters(), EventStoreReader::row)) {
                return page(rows.iterator(), limit);
            }
        }));
    }

    /**
     * Reads an event, if it is stored.
     *
     * @throws Refusal if PostgreSQL did not answer (503)
     */
    Optional<Event> find(EventKey key) {
        return postgresAccess.ask(() -> jdbc
                .query(
                        "SELECT topic, event_id, ts, source, payload::text FROM events WHERE " + BY_KEY,
                        Map.of("topic", key.topic(), "event_id", key.eventId()),
                        (row, number) -> event(row, row.getString("payload")))
                .stream()
                .findFirst());
    }

    /** The part of a range in which all events of a period are; not all that are there need be of the period. */
    private ArrivalRange within(ArrivalRange range, Period arrival) {
        Instant start = arrival.start();
        Instant end = arrival.end();
        return range.within(
                start == null ? Place.FIRST : placeAt(start.minus(SLACK)),
                end == null ? Place.LAST : placeAt(end.plus(SLACK)));
    }

    private Place placeAt(Instant time) {
        String xid = jdbc.queryForObject(
                "SELECT arrival_at(:time)::text", Map.of("time", time.atOffset(ZoneOffset.UTC)), String.class);
        return Place.before(Objects.requireNonNull(xid));
    }

    private static Page page(Iterator<Row> rows, int limit) {
        List<Event> events = new ArrayList<>();
        long characters = 0;
        long deadline = System.nanoTime() + MAX_PAGE_TIME.toNanos();
        Row last = null;
        while (rows.hasNext()
                && (last == null || !last.endsPage())
                && events.size() < limit
                && characters < MAX_PAGE_CHARACTERS
                && (events.isEmpty() || System.nanoTime() < deadline)) {
            last = rows.next();
            if (last.event() != null) {
                events.add(last.event());
                characters += last.event().payload().length();
            }
        }
        return new Page(events, last != null && (last.endsPage() || rows.hasNext()) ? last.place() : null);
    }

    private static Row row(ResultSet row, int number) throws SQLException {
        String payload = row.getString("payload");
        // From here on: all that are left, or as many as fit if each is as large as the largest.
        row.setFetchSize(
                row.getLong("page_bytes") <= MAX_FETCH_BYTES
                        ? 0
                        : Math.max(FETCH_SIZE, MAX_FETCH_BYTES / row.getInt("most_bytes")));
        return new Row(
                payload == null ? null : event(row, payload),
                new Place(Long.parseUnsignedLong(row.getString("xid")), row.getLong("arrival_number")),
                row.getBoolean("ends_page"));
    }

    private static Event event(ResultSet row, String payload) throws SQLException {
        return new Event(
                row.getString("topic"),
                row.getString("event_id"),
                row.getObject("ts", OffsetDateTime.class).toInstant(),
                row.getString("source"),
                payload);
    }
}
