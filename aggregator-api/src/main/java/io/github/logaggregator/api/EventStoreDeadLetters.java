package io.github.logaggregator.api;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;

/** Reads the dead letters, and asks the workers to try them again. */
@Component
class EventStoreDeadLetters {
    /** How many replays one request may ask for; small enough for the time that a statement has. */
    static final int MAX_REQUESTED = 10_000;

    /** A page ends early rather than to hold more bytes of entries than this, whatever its limit. */
    private static final long MAX_PAGE_BYTES = 4_000_000;

    private final JdbcClient jdbc;
    private final TransactionTemplate transaction;
    private final StoreAccess postgresAccess;

    EventStoreDeadLetters(JdbcClient jdbc, TransactionTemplate transaction, StoreAccess postgresAccess) {
        this.jdbc = jdbc;
        this.transaction = transaction;
        this.postgresAccess = postgresAccess;
    }

    /**
     * An entry that could not be stored.
     *
     * @param topic null if nobody can read it
     * @param eventId null if nobody can read it
     * @param entry as it lay on the queue; what is no UTF-8 shows as U+FFFD
     * @param reason what is wrong with it
     * @param replayRequestedAt since when a replay is asked for and not done; null if none is
     */
    record DeadLetter(
            @JsonProperty("id") long id,
            @JsonProperty("topic") @Nullable String topic,
            @JsonProperty("event_id") @Nullable String eventId,
            @JsonProperty("reason") String reason,
            @JsonProperty("died_at") Instant diedAt,
            @JsonProperty("replay_requested_at") @Nullable Instant replayRequestedAt,
            @JsonProperty("entry") String entry) {}

    /** A dead letter without its entry, which may be large. */
    record DeadLetterHead(
            @JsonProperty("id") long id,
            @JsonProperty("topic") @Nullable String topic,
            @JsonProperty("event_id") @Nullable String eventId,
            @JsonProperty("reason") String reason,
            @JsonProperty("died_at") Instant diedAt,
            @JsonProperty("replay_requested_at") @Nullable Instant replayRequestedAt) {}

    /**
     * Some dead letters, the newest first.
     *
     * @param next the id below which the next page starts; null if this is the last
     */
    record Page(List<DeadLetter> deadLetters, @Nullable Long next) {}

    /**
     * Reads a page.
     *
     * @param before only those with a smaller id
     * @param limit how many at most
     * @throws Refusal if PostgreSQL did not answer (503)
     */
    Page read(long before, int limit) {
        return postgresAccess.ask(() -> {
            List<DeadLetter> letters = jdbc.sql("""
                            SELECT id, topic, event_id, reason, died_at, requested_at, entry
                            FROM (
                                SELECT *, sum(octet_length(entry)) OVER (ORDER BY id DESC) - octet_length(entry) AS bytes_before
                                FROM (SELECT * FROM dead_letters WHERE id < ? ORDER BY id DESC LIMIT ?) AS next_ones
                            ) AS page
                            LEFT JOIN replay_requests ON dead_letter_id = id
                            WHERE bytes_before < ?
                            ORDER BY id DESC
                            """)
                    .params(before, limit, MAX_PAGE_BYTES)
                    .query(EventStoreDeadLetters::letter)
                    .list();
            if (letters.isEmpty()) {
                return new Page(letters, null);
            }
            long last = letters.getLast().id();
            boolean more = jdbc.sql("SELECT EXISTS (SELECT FROM dead_letters WHERE id < ?)")
                    .param(last)
                    .query(Boolean.class)
                    .single();
            return new Page(letters, more ? last : null);
        });
    }

    /**
     * Reads the newest, without their entries; names that are no names, since nobody checked them, and reasons are cut.
     *
     * @throws Refusal if PostgreSQL did not answer (503)
     */
    List<DeadLetterHead> newest(int limit) {
        return postgresAccess.ask(() ->
                jdbc.sql("""
                        SELECT id, left(topic, 300) AS topic, left(event_id, 300) AS event_id, left(reason, 1000) AS reason,
                            died_at, requested_at
                        FROM (SELECT * FROM dead_letters ORDER BY id DESC LIMIT ?) AS newest
                        LEFT JOIN replay_requests ON dead_letter_id = id
                        ORDER BY id DESC
                        """).param(limit).query(EventStoreDeadLetters::head).list());
    }

    /**
     * Asks for the replay of a dead letter; does nothing more if that was done before.
     *
     * @return whether there is such a dead letter
     * @throws Refusal if PostgreSQL did not answer (503)
     */
    boolean requestReplay(long id) {
        return written(() -> {
            jdbc.sql("""
                            INSERT INTO replay_requests (dead_letter_id)
                            SELECT id FROM dead_letters WHERE id = ? FOR KEY SHARE
                            ON CONFLICT DO NOTHING
                            """).param(id).update();
            return jdbc.sql("SELECT EXISTS (SELECT FROM replay_requests WHERE dead_letter_id = ?)")
                    .param(id)
                    .query(Boolean.class)
                    .single();
        });
    }

    /**
     * Asks for the replay of the oldest dead letters for which that has not been done, {@value #MAX_REQUESTED} at most.
     *
     * @return how many these are
     * @throws Refusal if PostgreSQL did not answer (503)
     */
    int requestReplays() {
        return written(() -> jdbc.sql("""
                        INSERT INTO replay_requests (dead_letter_id)
                        SELECT id FROM dead_letters
                        WHERE NOT EXISTS (SELECT FROM replay_requests WHERE dead_letter_id = id)
                        ORDER BY id
                        LIMIT ?
                        FOR KEY SHARE
                        ON CONFLICT DO NOTHING
                        """).param(MAX_REQUESTED).update());
    }

    private <T> T written(Supplier<T> action) {
        return postgresAccess.ask(() -> transaction.execute(status -> {
            // The API's sessions read only; this is all that it ever writes to PostgreSQL.
            jdbc.sql("SET TRANSACTION READ WRITE").update();
            return action.get();
        }));
    }

    private static DeadLetterHead head(ResultSet row, int number) throws SQLException {
        OffsetDateTime requestedAt = row.getObject("requested_at", OffsetDateTime.class);
        return new DeadLetterHead(
                row.getLong("id"),
                row.getString("topic"),
                row.getString("event_id"),
                row.getString("reason"),
                row.getObject("died_at", OffsetDateTime.class).toInstant(),
                requestedAt == null ? null : requestedAt.toInstant());
    }

    private static DeadLetter letter(ResultSet row, int number) throws SQLException {
        DeadLetterHead head = head(row, number);
        return new DeadLetter(
                head.id(),
                head.topic(),
                head.eventId(),
                head.reason(),
                head.diedAt(),
                head.replayRequestedAt(),
                new String(row.getBytes("entry"), StandardCharsets.UTF_8));
    }
}
