package io.github.logaggregator.worker;

import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.QueueEntry;
import io.github.logaggregator.model.QueueEntry.UndecodableEntryException;
import io.github.logaggregator.model.QueueKeys;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.ZoneOffset;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Component;

/** Stores the events of a claim in PostgreSQL and counts them, both or neither, once for each claim. */
@Component
class EventStoreWriter {
    private static final String SETTLE = ResourceText.of("sql/settle.sql");
    private static final String FOLD_TOTALS = ResourceText.of("sql/fold_totals.sql");

    private final JdbcTemplate jdbc;
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
        try {
            return settle(claim, columns, false);
        } catch (DataAccessException e) {
            if (isDataError(e)) {
                return settle(claim, columns, true);
            }
            throw e;
        }
    }

    /** Adds what settlements counted to the topics' totals. */
    void foldTotals() {
        jdbc.update(FOLD_TOTALS);
    }

    @SuppressWarnings("NullAway") // JdbcTemplate.execute gives what its callback gives
    private Settlement settle(Claim claim, Columns columns, boolean screen) {
        return jdbc.execute((Connection connection) -> {
            try (PreparedStatement statement = connection.prepareStatement(SETTLE)) {
                int i = 0;
                statement.setInt(++i, QueueKeys.FIRST.shard());
                statement.setLong(++i, claim.id().sequence());
                statement.setString(++i, claim.id().nonce());
                statement.setInt(++i, claim.entries().size());
                statement.setObject(
                        ++i, claim.leaseEnd().plus(properties.fence()).atOffset(ZoneOffset.UTC));
                statement.setBoolean(++i, screen);
                for (@Nullable String[] column : columns.texts()) {
                    statement.setArray(++i, connection.createArrayOf("text", column));
                }
                statement.setArray(++i, connection.createArrayOf("bigint", columns.receivedAt));
                statement.setArray(++i, connection.createArrayOf("text", columns.fault));
                boolean withEntries = screen || columns.anyFault;
                byte[][] entries = withEntries ? claim.entries().toArray(byte[][]::new) : new byte[0][];
                statement.setArray(++i, connection.createArrayOf("bytea", entries));
                try (ResultSet row = statement.executeQuery()) {
                    row.next();
                    return new Settlement(
                            row.getBoolean("counted"),
                            row.getBoolean("in_time"),
                            row.getLong("stored"),
                            row.getLong("duplicates"),
                            row.getLong("dead_lettered"));
                }
            }
        });
    }

    /** Class 22 of the SQLSTATEs (PostgreSQL documentation, appendix A): something is wrong with the data. */
    private static boolean isDataError(DataAccessException e) {
        return NestedExceptionUtils.getMostSpecificCause(e) instanceof SQLException cause
                && cause.getSQLState() != null
                && cause.getSQLState().startsWith("22");
    }

    /** The entries of a claim by columns, as the statement takes them. */
    private static final class Columns {
        final @Nullable String[] topic;
        final @Nullable String[] eventId;
        final @Nullable String[] timestamp;
        final @Nullable String[] source;
        final @Nullable String[] payload;
        final @Nullable Long[] receivedAt;
        final @Nullable String[] fault;
        boolean anyFault;

        private Columns(int size) {
            topic = new @Nullable String[size];
            eventId = new @Nullable String[size];
            timestamp = new @Nullable String[size];
            source = new @Nullable String[size];
            payload = new @Nullable String[size];
            receivedAt = new @Nullable Long[size];
            fault = new @Nullable String[size];
        }

        static Columns of(Claim claim) {
            Columns columns = new Columns(claim.entries().size());
            int i = 0;
            for (byte[] bytes : claim.entries()) {
                try {
                    QueueEntry entry = QueueEntry.decode(bytes);
                    Event event = entry.event();
                    columns.topic[i] = event.topic();
                    columns.eventId[i] = event.eventId();
                    columns.timestamp[i] = event.timestamp().toString();
                    columns.source[i] = event.source();
                    columns.payload[i] = event.payload();
                    columns.receivedAt[i] = entry.receivedAt().toEpochMilli();
                } catch (UndecodableEntryException e) {
                    columns.fault[i] = e.getMessage();
                    columns.anyFault = true;
                }
                i++;
            }
            return columns;
        }

        List<@Nullable String[]> texts() {
            return List.of(topic, eventId, timestamp, source, payload);
        }
    }
}
