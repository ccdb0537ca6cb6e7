package io.github.logaggregator.api;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.logaggregator.api.ArrivalRange.Place;
import io.github.logaggregator.model.Event;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Reads events from PostgreSQL in the order of their arrival, and never past one that may still get another before it: what
 * was read up to a place is all that there will ever be up to there.
 */
@Component
class EventStoreArrivals {
    private static final String ARRIVALS = ResourceText.of("sql/arrivals.sql");
    private static final String ARRIVALS_OF_TOPICS = ResourceText.of("sql/arrivals_of_topics.sql");
    private static final String NEWEST = ResourceText.of("sql/newest.sql");
    private static final String NEWEST_OF_TOPICS = ResourceText.of("sql/newest_of_topics.sql");
    private static final String LATENCY = ResourceText.of("sql/latency.sql");

    private static final int AT_ONCE = 1_000;

    /**
     * Rows that the driver holds at once, and the server makes within a statement's time-out on a busy machine; any of
     * them may be as large as an event may be.
     */
    private static final int FETCH_SIZE = 4;

    /** What payloads may take in PostgreSQL, compressed, that are fetched in one go once the first rows have told their size. */
    private static final int MAX_FETCH_BYTES = 64 * 1024;

    private final JdbcTemplate jdbc;
    private final TransactionTemplate transaction;
    private final StoreAccess postgresAccess;

    EventStoreArrivals(DataSource dataSource, TransactionTemplate transaction, StoreAccess postgresAccess) {
        this.jdbc = new JdbcTemplate(dataSource);
        this.transaction = transaction;
        this.postgresAccess = postgresAccess;
    }

    /** An event, and its place in the order of arrival. */
    record Arrival(Event event, Place place) {}

    /**
     * What arrived after a place.
     *
     * @param more whether there was more to read at that moment
     * @param held whether events that are stored have to wait for a transaction that is still running
     */
    record Arrivals(List<Arrival> events, boolean more, boolean held) {}

    /**
     * An event to be shown as a line.
     *
     * @param preview the first characters of the payload; null if that is large
     */
    record ArrivalHead(
            @JsonIgnore Place place,
            @JsonProperty("topic") String topic,
            @JsonProperty("event_id") String eventId,
            @JsonProperty("timestamp") Instant timestamp,
            @JsonProperty("source") String source,
            @JsonProperty("stored_at") Instant storedAt,
            @JsonProperty("preview") @Nullable String preview) {}

    /** How long it took from the publishing of an event to its settlement, of half of the events and of 99 %. */
    record Latency(
            @JsonProperty("p50_seconds") double p50Seconds,
            @JsonProperty("p99_seconds") double p99Seconds) {}

    /**
     * The place of the newest event of which the place is final.
     *
     * @throws Refusal if PostgreSQL did not answer (503)
     */
    Place newest() {
        return postgresAccess.ask(() -> jdbc.query("""
                        SELECT arrival_xid::text AS xid, arrival_number
                        FROM events
                        WHERE arrival_xid < (SELECT arrival_horizon())
                        ORDER BY arrival_xid DESC, arrival_number DESC
                        LIMIT 1
                        """, (row, number) -> place(row)).stream()
                .findFirst()
                .orElse(Place.FIRST));
    }

    /**
     * Whether a place may be that of an event which was given out. One that this server has not reached comes from another.
     *
     * @throws Refusal if PostgreSQL did not answer (503)
     */
    boolean isReached(Place place) {
        return postgresAccess.ask(() -> jdbc.queryForObject(
                "SELECT ?::xid8 < arrival_horizon()", Boolean.class, Long.toUnsignedString(place.xid())));
    }

    /**
     * Reads what arrived after a place, or the first of it.
     *
     * @param topics only events of these; empty for all
     * @param maxCharacters it ends with the event whose payload goes beyond, all payloads together
     * @throws Refusal if PostgreSQL did not answer (503)
     */
    Arrivals after(Place place, Set<String> topics, long maxCharacters) {
        // The driver reads row by row only in a transaction.
        return postgresAccess.ask(() -> transaction.execute(status -> jdbc.execute((Connection connection) -> {
            try (PreparedStatement statement =
                    connection.prepareStatement(topics.isEmpty() ? ARRIVALS : ARRIVALS_OF_TOPICS)) {
                statement.setFetchSize(FETCH_SIZE);
                int i = 0;
                if (!topics.isEmpty()) {
                    statement.setArray(++i, connection.createArrayOf("text", topics.toArray()));
                }
                statement.setString(++i, Long.toUnsignedString(place.xid()));
                statement.setLong(++i, place.number());
                statement.setInt(++i, AT_ONCE);
                if (!topics.isEmpty()) {
                    statement.setInt(++i, AT_ONCE);
                }
                try (ResultSet rows = statement.executeQuery()) {
                    return arrivals(rows, maxCharacters);
                }
            }
        })));
    }

    /**
     * Reads the newest that arrived after a place, in the order of arrival; it costs the same however many these are.
     *
     * @param topics only events of these; empty for all
     * @throws Refusal if PostgreSQL did not answer (503)
     */
    List<ArrivalHead> newest(Place after, Set<String> topics, int limit) {
        String xid = Long.toUnsignedString(after.xid());
        return postgresAccess.ask(() -> topics.isEmpty()
                ? jdbc.query(NEWEST, EventStoreArrivals::head, xid, after.number(), limit)
                : jdbc.query(
                        NEWEST_OF_TOPICS,
                        EventStoreArrivals::head,
                        topics.toArray(String[]::new),
                        xid,
                        after.number(),
                        limit,
                        limit));
    }

    /**
     * The latency of the newest events; empty if none was stored in the last seconds.
     *
     * @throws Refusal if PostgreSQL did not answer (503)
     */
    Optional<Latency> latency() {
        return postgresAccess.ask(() -> jdbc
                .query(
                        LATENCY,
                        (row, number) -> new Latency(row.getDouble("p50_seconds"), row.getDouble("p99_seconds")))
                .stream()
                .findFirst());
    }

    private static ArrivalHead head(ResultSet row, int number) throws SQLException {
        return new ArrivalHead(
                place(row),
                row.getString("topic"),
                row.getString("event_id"),
                row.getObject("ts", OffsetDateTime.class).toInstant(),
                row.getString("source"),
                row.getObject("stored_at", OffsetDateTime.class).toInstant(),
                row.getString("preview"));
    }

    private static Arrivals arrivals(ResultSet rows, long maxCharacters) throws SQLException {
        List<Arrival> arrivals = new ArrayList<>();
        long characters = 0;
        while (rows.next()) {
            if (!rows.getBoolean("final")) {
                return new Arrivals(arrivals, false, true);
            }
            rows.setFetchSize(
                    rows.getLong("page_bytes") <= MAX_FETCH_BYTES
                            ? 0 // all that are left
                            : Math.max(FETCH_SIZE, MAX_FETCH_BYTES / rows.getInt("most_bytes")));
            Event event = new Event(
                    rows.getString("topic"),
                    rows.getString("event_id"),
                    rows.getObject("ts", OffsetDateTime.class).toInstant(),
                    rows.getString("source"),
                    rows.getString("payload"));
            arrivals.add(new Arrival(event, place(rows)));
            characters += event.payload().length();
            if (characters >= maxCharacters) {
                return new Arrivals(arrivals, true, false);
            }
        }
        return new Arrivals(arrivals, arrivals.size() == AT_ONCE, false);
    }

    private static Place place(ResultSet row) throws SQLException {
        return new Place(Long.parseUnsignedLong(row.getString("xid")), row.getLong("arrival_number"));
    }
}
