package io.github.logaggregator.worker;

import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.Outcome;
import io.github.logaggregator.model.QueueKeys;
import io.github.logaggregator.model.QueuedEvent;
import io.github.logaggregator.model.QueuedEvent.UndecodableEntryException;
import io.github.logaggregator.model.ReplyAddress;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.dao.DataAccessException;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Component;

/** Stores the events of a claim in PostgreSQL and counts them, both or neither, once for each claim. */
@Component
class EventStoreWriter {
    private static final String SETTLE = ResourceText.of("sql/settle.sql");
    private static final String PRUNE_SETTLED_CLAIMS = ResourceText.of("sql/prune_settled_claims.sql");
    private static final String PRUNE_MARKS = ResourceText.of("sql/prune_marks.sql");
    private static final String PRUNE_CLAIM_OUTCOMES = ResourceText.of("sql/prune_claim_outcomes.sql");
    private static final String FOLD_TOTALS = ResourceText.of("sql/fold_totals.sql");
    private static final String PRUNE_CONFLICTS = ResourceText.of("sql/prune_conflicts.sql");

    /** Of keys with conflicts, that one statement prunes: few enough for the time that it has. */
    private static final int PRUNED_AT_ONCE = 10_000;

    private final JdbcTemplate jdbc;
    private final Outage outage = new Outage("PostgreSQL");
    private final SettlementLog log = new SettlementLog();
    private final WorkerProperties properties;

    EventStoreWriter(JdbcTemplate jdbc, WorkerProperties properties) {
        this.jdbc = jdbc;
        this.properties = properties;
    }

    /**
     * Settles a claim. An event that PostgreSQL proves to be bad becomes a dead letter, with the others stored; for
     * everything else that goes wrong the claim is to be settled again.
     *
     * @throws DataAccessException if PostgreSQL did not answer that the claim is settled; it may be, all the same
     */
    Settlement settle(Claim claim) {
        Columns columns = Columns.of(claim);
        Settlement settlement;
        try {
            settlement = settle(claim, columns, false);
        } catch (DataIntegrityViolationException e) {
            // SQLSTATE classes 22, data exception, and 23, which a check of a domain is: perhaps an event's fault, and
            // perhaps not. The screen tells.
            settlement = settle(claim, columns, true);
        }
        log.settled(claim.id(), settlement);
        return settlement;
    }

    /** Of PostgreSQL, for all loops of a worker. */
    Outage outage() {
        return outage;
    }

    /** Sums up in the log what was settled since the last time, if anything was. */
    void tellWhatWasSettled() {
        log.tell();
    }

    /** Adds what settlements counted to the topics' totals. */
    void foldTotals() {
        jdbc.update(FOLD_TOTALS);
    }

    /** Drops the conflicts that are not among the newest 10 of their key. */
    void pruneConflicts() {
        long keys = PRUNED_AT_ONCE;
        while (keys == PRUNED_AT_ONCE) {
            keys = Objects.requireNonNull(jdbc.queryForObject(PRUNE_CONFLICTS, Long.class, PRUNED_AT_ONCE));
        }
    }

    /** How often settled claims are to be pruned. */
    Duration pruneInterval() {
        return properties.pruneInterval();
    }

    /** PostgreSQL's time, by which it notes when a claim was settled. */
    OffsetDateTime now() {
        return Objects.requireNonNull(jdbc.queryForObject("SELECT now()", OffsetDateTime.class));
    }

    /**
     * Notes which claims are open, and forgets the claims that were settled before such a note, were not in it, and of
     * which every fence has closed since. A claim that some worker could still settle must not be forgotten, however old
     * it is: it would count again.
     *
     * @param notedAt PostgreSQL's time before the open claims were read
     */
    void pruneSettledClaims(OffsetDateTime notedAt, List<String> openClaims) {
        jdbc.update(
                "INSERT INTO pruning_marks (noted_at, open_claims) VALUES (?, ?) ON CONFLICT DO NOTHING",
                notedAt,
                openClaims.toArray(String[]::new));
        // Who held a claim when it was acknowledged has a lease that ends within worker.lease, which the fence exceeds.
        double seconds = properties.fence().multipliedBy(2).toMillis() / 1000.0;
        int pruned = 1;
        while (pruned > 0) {
            pruned = jdbc.update(PRUNE_SETTLED_CLAIMS, seconds);
        }
        jdbc.update(PRUNE_MARKS, seconds);
    }

    /** Forgets the outcomes of claims for which nobody waits any more. */
    void pruneClaimOutcomes() {
        jdbc.update(PRUNE_CLAIM_OUTCOMES, ReplyAddress.MAX_WAIT_SECONDS);
    }

    @SuppressWarnings("NullAway") // JdbcTemplate.execute gives what its callback gives
    private Settlement settle(Claim claim, Columns columns, boolean screen) {
        return jdbc.execute((Connection connection) -> {
            try (PreparedStatement statement = connection.prepareStatement(SETTLE)) {
                int i = 0;
                statement.setInt(++i, QueueKeys.FIRST.shard());
                statement.setLong(++i, claim.id().sequence());
                statement.setString(++i, claim.id().nonce());
                statement.setInt(++i, claim.lines().size());
                statement.setObject(
                        ++i, claim.leaseEnd().plus(properties.fence()).atOffset(ZoneOffset.UTC));
                statement.setBoolean(++i, screen);
                statement.setBoolean(++i, columns.isAwaited());
                for (@Nullable String[] column : columns.texts()) {
                    statement.setArray(++i, connection.createArrayOf("text", column));
                }
                statement.setArray(++i, connection.createArrayOf("bigint", columns.receivedAt));
                statement.setArray(++i, connection.createArrayOf("text", columns.fault));
                boolean withLines = screen || columns.anyFault;
                byte[][] lines = withLines ? claim.lines().toArray(byte[][]::new) : new byte[0][];
                statement.setArray(++i, connection.createArrayOf("bytea", lines));
                statement.setArray(++i, connection.createArrayOf("boolean", columns.repeated));
                try (ResultSet row = statement.executeQuery()) {
                    row.next();
                    boolean counted = row.getBoolean("counted");
                    Array reasons = row.getArray("reasons");
                    if (reasons != null) {
                        log.deadLetters(claim.id(), List.of((String[]) reasons.getArray()));
                    }
                    return new Settlement(
                            counted,
                            row.getBoolean("in_time"),
                            row.getLong("stored"),
                            row.getLong("duplicates"),
                            row.getLong("conflicting"),
                            row.getLong("dead_lettered"),
                            storedReceived(row),
                            columns.isAwaited()
                                    ? columns.outcomes(counted ? outcomes(row) : outcomesOfBefore(connection, claim))
                                    : Map.of());
                }
            }
        });
    }

    private static Map<Instant, Long> storedReceived(ResultSet row) throws SQLException {
        Array times = row.getArray("stored_received");
        if (times == null) {
            return Map.of();
        }
        Map<Instant, Long> received = new HashMap<>();
        for (Long[] time : (Long[][]) times.getArray()) {
            received.put(Instant.ofEpochMilli(time[0]), time[1]);
        }
        return received;
    }

    /** What makes two events the same. */
    private record Key(String topic, String eventId) {}

    /** What the settlement that counted has noted; in a statement of its own, since it may be newer than this one's snapshot. */
    private static String[] outcomesOfBefore(Connection connection, Claim claim) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT outcomes FROM claim_outcomes WHERE (shard, sequence, nonce) = (?, ?, ?)")) {
            statement.setInt(1, QueueKeys.FIRST.shard());
            statement.setLong(2, claim.id().sequence());
            statement.setString(3, claim.id().nonce());
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? outcomes(row) : new String[0];
            }
        }
    }

    private static String[] outcomes(ResultSet row) throws SQLException {
        return (String[]) row.getArray("outcomes").getArray();
    }

    /** The events of a claim by columns, as the statement takes them. */
    private static final class Columns {
        final @Nullable String[] topic;
        final @Nullable String[] eventId;
        final @Nullable String[] timestamp;
        final @Nullable String[] source;
        final @Nullable String[] payload;
        final @Nullable Long[] receivedAt;
        final @Nullable String[] fault;
        final Boolean[] repeated;
        boolean anyFault;

        /** Whoever waits for an event, by the event's place. */
        private final Map<Integer, ReplyAddress> replyTo = new HashMap<>();

        private Columns(int size) {
            topic = new @Nullable String[size];
            eventId = new @Nullable String[size];
            timestamp = new @Nullable String[size];
            source = new @Nullable String[size];
            payload = new @Nullable String[size];
            receivedAt = new @Nullable Long[size];
            fault = new @Nullable String[size];
            repeated = new Boolean[size];
        }

        static Columns of(Claim claim) {
            Columns columns = new Columns(claim.lines().size());
            Set<Key> keys = HashSet.newHashSet(claim.lines().size());
            int i = 0;
            for (byte[] line : claim.lines()) {
                columns.repeated[i] = false;
                try {
                    QueuedEvent queued = QueuedEvent.decode(line);
                    Event event = queued.event();
                    columns.topic[i] = event.topic();
                    columns.eventId[i] = event.eventId();
                    columns.timestamp[i] = event.timestamp().toString();
                    columns.source[i] = event.source();
                    columns.payload[i] = event.payload();
                    columns.receivedAt[i] = queued.receivedAt().toEpochMilli();
                    columns.repeated[i] = !keys.add(new Key(event.topic(), event.eventId()));
                    columns.awaited(i, queued.replyTo());
                } catch (UndecodableEntryException e) {
                    columns.fault[i] = e.getMessage();
                    columns.anyFault = true;
                    columns.awaited(i, QueuedEvent.replyTo(line));
                }
                i++;
            }
            return columns;
        }

        private void awaited(int place, @Nullable ReplyAddress address) {
            if (address != null) {
                replyTo.put(place, address);
            }
        }

        boolean isAwaited() {
            return !replyTo.isEmpty();
        }

        /** @param byPlace the outcome of each event; none if they were not noted, or are forgotten */
        Map<ReplyAddress, Outcome> outcomes(String[] byPlace) {
            Map<ReplyAddress, Outcome> outcomes = new HashMap<>();
            if (byPlace.length > 0) {
                replyTo.forEach((place, address) -> outcomes.put(address, Outcome.of(byPlace[place])));
            }
            return outcomes;
        }

        List<@Nullable String[]> texts() {
            return List.of(topic, eventId, timestamp, source, payload);
        }
    }
}
