package io.github.logaggregator.worker;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;
import org.springframework.stereotype.Component;

/**
 * Deletes the events that are older than their topic's retention, and counts them as expired; never one that is younger,
 * and never without counting it.
 *
 * <p>It does so in short statements, one worker at a time, and rests after each for as long as that took: what it takes of
 * PostgreSQL is half of one connection's time at most. Nobody waits for a batch but a settlement of one of its events.
 */
@Component
class EventStoreRetention {
    private static final Logger LOG = LoggerFactory.getLogger(EventStoreRetention.class);

    /** Events that one statement looks at: some ten milliseconds. */
    private static final int BATCH = 1_000;

    private static final long LEAST_REST_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    private static final long TELL_NANOS = TimeUnit.MINUTES.toNanos(1);

    /** Events whose stored_at was in the future are behind a place that was remembered; a restored database has others. */
    private static final long FORGET_NANOS = TimeUnit.HOURS.toNanos(1);

    private final JdbcTemplate jdbc;
    private final WorkerProperties properties;
    private final WorkerMetrics metrics;
    private final PatientRetry expiring = new PatientRetry(new Outage("Deleting expired events"), this::isStopping);
    private volatile boolean stopping;

    /** For each topic, up to where there is nothing any more. */
    private final Map<String, Place> emptyUpTo = new HashMap<>();

    private long forgetAt = System.nanoTime();

    private long toTell;
    private long tellAt = System.nanoTime();

    EventStoreRetention(JdbcTemplate jdbc, WorkerProperties properties, WorkerMetrics metrics) {
        this.jdbc = jdbc;
        this.properties = properties;
        this.metrics = metrics;
        if (isOn()) {
            LOG.info("Events expire; the first that fits a topic applies: {}", properties.retention());
        }
    }

    /** Whether any events are to expire. */
    boolean isOn() {
        return properties.retention().stream().anyMatch(rule -> rule.keep() != null);
    }

    /** A place in the order of arrival. */
    private record Place(String xid, long number) {
        static final Place START = new Place("0", 0);
    }

    /**
     * What a statement has done.
     *
     * @param emptyUpTo up to where it left nothing; null if that is as before
     */
    private record Batch(long expired, @Nullable Place emptyUpTo) {}

    @EventListener(ContextClosedEvent.class)
    void stop() {
        stopping = true;
    }

    private boolean isStopping() {
        return stopping;
    }

    /**
     * Deletes what has expired, unless another worker is at it.
     *
     * @throws org.springframework.dao.DataAccessException if PostgreSQL did not answer; each batch is done or not
     */
    void expire() throws InterruptedException {
        expiring.get(() -> jdbc.execute((Connection connection) -> runAlone(connection)), failed -> true);
    }

    /**
     * The turn is the session's for the whole run, rests included. If this worker is frozen meanwhile, the session ends, and
     * another worker goes on.
     */
    private boolean runAlone(Connection connection) {
        JdbcTemplate session = new JdbcTemplate(new SingleConnectionDataSource(connection, true));
        session.execute("SET idle_session_timeout = '10s'");
        try {
            boolean isMyTurn = Boolean.TRUE.equals(session.queryForObject(
                    "SELECT pg_try_advisory_lock(hashtext('aggregator:expire_events'))", Boolean.class));
            if (isMyTurn) {
                try {
                    expireByTurns(session);
                } finally {
                    tell();
                    session.execute("SELECT pg_advisory_unlock(hashtext('aggregator:expire_events'))");
                }
            }
            return isMyTurn;
        } finally {
            session.execute("RESET idle_session_timeout");
        }
    }

    /** A batch of each topic, so that none waits for the end of another. */
    private void expireByTurns(JdbcTemplate session) {
        if (System.nanoTime() - forgetAt >= 0) {
            emptyUpTo.clear();
            forgetAt = System.nanoTime() + FORGET_NANOS;
        }
        Queue<String> topics = new ArrayDeque<>(topicsWithExpiredEvents(session));
        while (!topics.isEmpty() && !stopping) {
            String topic = topics.remove();
            long begun = System.nanoTime();
            if (hasMore(session, topic)) {
                topics.add(topic);
            }
            LockSupport.parkNanos(Math.max(System.nanoTime() - begun, LEAST_REST_NANOS));
        }
    }

    /** Deletes a batch. What little is left after it, or has expired meanwhile, is worth a statement only in the next run. */
    private boolean hasMore(JdbcTemplate session, String topic) {
        Place from = emptyUpTo(topic);
        Batch batch = session.queryForObject(
                "SELECT expired, up_to_xid::text, up_to_number FROM expire_events(?, ?, ?::xid8, ?, ?)",
                EventStoreRetention::batch,
                topic,
                keepSeconds(topic),
                from.xid(),
                from.number(),
                BATCH);
        if (batch == null) {
            return true; // conflicts are being pruned, which is soon over
        }
        if (batch.emptyUpTo() != null) {
            emptyUpTo.put(topic, batch.emptyUpTo());
        }
        metrics.expired(batch.expired());
        toTell += batch.expired();
        return batch.expired() > BATCH / 2;
    }

    private static @Nullable Batch batch(ResultSet row, int number) throws SQLException {
        long expired = row.getLong("expired");
        if (row.wasNull()) {
            return null;
        }
        String xid = row.getString("up_to_xid");
        return new Batch(expired, xid == null ? null : new Place(xid, row.getLong("up_to_number")));
    }

    private List<String> topicsWithExpiredEvents(JdbcTemplate session) {
        List<String> topics = topicsWithEvents(session).stream()
                .filter(topic -> properties.keep(topic) != null)
                .toList();
        List<Place> places = topics.stream().map(this::emptyUpTo).toList();
        return session.query(
                "SELECT topics_with_expired_events(?, ?, ?::text[]::xid8[], ?)",
                (row, number) -> row.getString(1),
                topics.toArray(String[]::new),
                topics.stream().map(this::keepSeconds).toArray(Double[]::new),
                places.stream().map(Place::xid).toArray(String[]::new),
                places.stream().map(Place::number).toArray(Long[]::new));
    }

    private static List<String> topicsWithEvents(JdbcTemplate session) {
        return session.query("""
                SELECT topic
                FROM (
                    SELECT topic, stored, expired FROM topic_totals
                    UNION ALL
                    SELECT topic, stored, expired FROM totals_delta
                ) AS counted
                GROUP BY topic
                HAVING sum(stored) > sum(expired)
                """, (row, number) -> row.getString(1));
    }

    private Place emptyUpTo(String topic) {
        return emptyUpTo.getOrDefault(topic, Place.START);
    }

    private double keepSeconds(String topic) {
        return Objects.requireNonNull(properties.keep(topic)).toMillis() / 1000.0;
    }

    /** Not more than a line a minute, however many expire. */
    private void tell() {
        if (toTell > 0 && System.nanoTime() - tellAt >= 0) {
            LOG.info("Deleted {} events that had expired", toTell);
            toTell = 0;
            tellAt = System.nanoTime() + TELL_NANOS;
        }
    }

    /** Drops conflicts of events that are gone, which a settlement committed while its event was being deleted. */
    void dropStrayConflicts() {
        Key last = new Key("", "", 0);
        while (last != null && !stopping) {
            last = jdbc.queryForObject(
                    "SELECT last_topic, last_event_id, last_number FROM drop_stray_conflicts(?, ?, ?, ?)",
                    EventStoreRetention::key,
                    last.topic(),
                    last.eventId(),
                    last.number(),
                    BATCH);
        }
    }

    /** A place in the order of the conflicts' keys. */
    private record Key(String topic, String eventId, long number) {}

    private static @Nullable Key key(ResultSet row, int number) throws SQLException {
        String topic = row.getString("last_topic");
        return topic == null ? null : new Key(topic, row.getString("last_event_id"), row.getLong("last_number"));
    }
}
