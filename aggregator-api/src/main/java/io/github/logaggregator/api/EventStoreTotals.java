package io.github.logaggregator.api;

import io.github.logaggregator.api.EventQueueStatistics.OpenClaim;
import io.github.logaggregator.api.EventQueueStatistics.Snapshot;
import io.github.logaggregator.model.QueueKeys;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Component;

/** Reads what PostgreSQL knows of the events, all at one moment. */
@Component
class EventStoreTotals {
    private static final String TOTALS = ResourceText.of("sql/totals.sql");

    private final JdbcTemplate jdbc;
    private final StoreAccess postgresAccess;

    EventStoreTotals(JdbcTemplate jdbc, StoreAccess postgresAccess) {
        this.jdbc = jdbc;
        this.postgresAccess = postgresAccess;
    }

    /**
     * What was settled.
     *
     * @param topics what was settled of each topic, in the order of their names
     * @param stored events that were stored
     * @param expired those of the stored events that were deleted at the end of their retention
     * @param duplicates events that were there before
     * @param conflicting those of the duplicates whose content was not that of the stored event
     * @param deadLettered events that could not be stored
     * @param settledSince events of claims that were made after Redis was read
     * @param inFlight events of the claims that were open in Redis and are not settled
     */
    record Totals(
            Map<String, Counts> topics,
            long stored,
            long expired,
            long duplicates,
            long conflicting,
            long deadLettered,
            long settledSince,
            long inFlight) {}

    /** What was settled of a topic: events that were stored, and duplicates. */
    record Counts(long stored, long duplicates) {}

    /**
     * The number of the last claim that was settled; 0 if there was none.
     *
     * @throws Refusal if PostgreSQL did not answer (503)
     */
    long lastSettledClaim() {
        return postgresAccess.ask(() -> jdbc.queryForObject(
                "SELECT coalesce(max(sequence), 0) FROM settled_claims WHERE shard = ?",
                Long.class,
                QueueKeys.FIRST.shard()));
    }

    /**
     * Reads the totals, after Redis.
     *
     * @throws Refusal if PostgreSQL did not answer (503)
     */
    Totals read(Snapshot queue) {
        return postgresAccess.ask(() -> jdbc.execute((Connection connection) -> {
            List<OpenClaim> open = queue.openClaims();
            try (PreparedStatement statement = connection.prepareStatement(TOTALS)) {
                statement.setArray(
                        1,
                        connection.createArrayOf(
                                "bigint",
                                open.stream()
                                        .map(claim -> claim.id().sequence())
                                        .toArray()));
                statement.setArray(
                        2,
                        connection.createArrayOf(
                                "text",
                                open.stream().map(claim -> claim.id().nonce()).toArray()));
                statement.setArray(
                        3,
                        connection.createArrayOf(
                                "bigint", open.stream().map(OpenClaim::events).toArray()));
                statement.setInt(4, QueueKeys.FIRST.shard());
                statement.setLong(5, queue.lastClaim());
                statement.setInt(6, QueueKeys.FIRST.shard());
                try (ResultSet rows = statement.executeQuery()) {
                    return totals(rows);
                }
            }
        }));
    }

    private static Totals totals(ResultSet rows) throws SQLException {
        Map<String, Counts> topics = new TreeMap<>();
        long stored = 0;
        long expired = 0;
        long duplicates = 0;
        long conflicting = 0;
        long deadLettered = 0;
        long settledSince = 0;
        long inFlight = 0;
        while (rows.next()) {
            settledSince = rows.getLong("settled_since");
            inFlight = rows.getLong("in_flight");
            String topic = rows.getString("topic");
            if (topic != null) {
                stored += rows.getLong("stored");
                expired += rows.getLong("expired");
                duplicates += rows.getLong("duplicates");
                conflicting += rows.getLong("conflicting");
                deadLettered += rows.getLong("dead_lettered");
                topics.put(topic, new Counts(rows.getLong("stored"), rows.getLong("duplicates")));
            }
        }
        return new Totals(topics, stored, expired, duplicates, conflicting, deadLettered, settledSince, inFlight);
    }
}
