package io.github.logaggregator.api;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import io.github.logaggregator.model.Event;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Reads the conflicts of an event: duplicates of it whose content is not what is stored. */
@Component
class EventStoreConflicts {
    /** A page ends early rather than to hold more bytes of payloads than this. */
    private static final long MAX_PAGE_BYTES = 4_000_000;

    private final JdbcClient jdbc;
    private final StoreAccess postgresAccess;

    EventStoreConflicts(JdbcClient jdbc, StoreAccess postgresAccess) {
        this.jdbc = jdbc;
        this.postgresAccess = postgresAccess;
    }

    /**
     * A duplicate that was not stored.
     *
     * @param event as it was sent
     * @param receivedAt when the API took it, at a resolution of milliseconds
     */
    record Conflict(
            @JsonUnwrapped Event event,
            @JsonProperty("received_at") Instant receivedAt) {}

    /**
     * Some conflicts of an event, the newest first.
     *
     * @param next the number below which the next page starts; null if this is the last
     */
    record Page(List<Conflict> conflicts, @Nullable Long next) {}

    private record Row(Conflict conflict, long number, long candidates) {}

    /**
     * Reads a page of the newest 10.
     *
     * @param before only those with a smaller number
     * @throws Refusal if the event is not stored (404), or PostgreSQL did not answer (503)
     */
    Page read(EventKey key, long before) {
        return postgresAccess.ask(() -> {
            List<Row> rows = jdbc.sql("""
                            SELECT number, ts, source, payload, received_at, candidates
                            FROM (
                                SELECT *, count(*) OVER () AS candidates,
                                    sum(octet_length(payload)) OVER (ORDER BY number DESC) - octet_length(payload) AS bytes_before
                                FROM (
                                    SELECT number, ts, source, payload::text AS payload, received_at
                                    FROM conflicts
                                    WHERE topic = ? AND event_id = ?
                                    ORDER BY number DESC
                                    LIMIT 10
                                ) AS newest
                                WHERE number < ?
                            ) AS page
                            WHERE bytes_before < ?
                            ORDER BY number DESC
                            """)
                    .params(key.topic(), key.eventId(), before, MAX_PAGE_BYTES)
                    .query((row, number) -> new Row(
                            new Conflict(
                                    new Event(
                                            key.topic(),
                                            key.eventId(),
                                            row.getObject("ts", OffsetDateTime.class)
                                                    .toInstant(),
                                            row.getString("source"),
                                            row.getString("payload")),
                                    row.getObject("received_at", OffsetDateTime.class)
                                            .toInstant()),
                            row.getLong("number"),
                            row.getLong("candidates")))
                    .list();
            if (rows.isEmpty() && !isStored(key)) {
                throw EventKey.notStored();
            }
            boolean more = !rows.isEmpty() && rows.getLast().candidates() > rows.size();
            return new Page(
                    rows.stream().map(Row::conflict).toList(),
                    more ? rows.getLast().number() : null);
        });
    }

    private boolean isStored(EventKey key) {
        return jdbc.sql("SELECT 1 FROM events WHERE " + EventStoreReader.BY_KEY)
                .param("topic", key.topic())
                .param("event_id", key.eventId())
                .query(Integer.class)
                .optional()
                .isPresent();
    }
}
