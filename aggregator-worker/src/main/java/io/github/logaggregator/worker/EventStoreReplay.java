package io.github.logaggregator.worker;

import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.QueuedEvent;
import io.github.logaggregator.model.QueuedEvent.UndecodableEntryException;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.TransactionStatus;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Tries dead letters again when somebody asked for it. One that can be stored now stops being a dead letter in the same
 * transaction in which it is stored, or found to be a duplicate; one that still can't stays, with the new reason.
 */
@Component
class EventStoreReplay {
    private static final Logger LOG = LoggerFactory.getLogger(EventStoreReplay.class);
    private static final String REPLAY = ResourceText.of("sql/replay.sql");

    private final JdbcClient jdbc;
    private final TransactionTemplate transaction;

    EventStoreReplay(JdbcClient jdbc, TransactionTemplate transaction) {
        this.jdbc = jdbc;
        this.transaction = transaction;
    }

    /** Replays every dead letter for which that is requested, one at a time, since each may be large. */
    void replayRequested() {
        boolean more = true;
        while (more) {
            more = Boolean.TRUE.equals(transaction.execute(status -> {
                Optional<Long> next = next();
                next.ifPresent(id -> replay(id, status));
                return next.isPresent();
            }));
        }
    }

    /** The oldest one that no other worker is at; it is this worker's until the transaction ends. */
    private Optional<Long> next() {
        return jdbc.sql("""
                        SELECT id
                        FROM dead_letters JOIN replay_requests ON dead_letter_id = id
                        ORDER BY id
                        LIMIT 1
                        FOR UPDATE SKIP LOCKED
                        """).query(Long.class).optional();
    }

    private void replay(long id, TransactionStatus status) {
        byte[] line = jdbc.sql("SELECT entry FROM dead_letters WHERE id = ?")
                .param(id)
                .query(byte[].class)
                .single();
        Object beforeTheEvent = status.createSavepoint();
        try {
            QueuedEvent queued = QueuedEvent.decode(line);
            Event event = queued.event();
            jdbc.sql(REPLAY)
                    .params(
                            id,
                            event.topic(),
                            event.eventId(),
                            event.timestamp().toString(),
                            event.source(),
                            event.payload(),
                            queued.receivedAt().toEpochMilli(),
                            event.topic())
                    .update();
            keepIfConflicting(queued);
            LOG.info("Replayed dead letter {}", id);
        } catch (UndecodableEntryException e) {
            keep(id, e);
        } catch (DataIntegrityViolationException e) {
            status.rollbackToSavepoint(beforeTheEvent);
            keep(id, e.getMostSpecificCause());
        }
    }

    /** If the event is stored by now, it is compared with itself. */
    private void keepIfConflicting(QueuedEvent queued) {
        Event event = queued.event();
        jdbc.sql("""
                        SELECT keep_conflicts(ARRAY[
                            ROW(?, ?, ?::timestamptz, ?, ?::jsonb, to_timestamp(? / 1000.0))::duplicate])
                        """)
                .params(
                        event.topic(),
                        event.eventId(),
                        event.timestamp().toString(),
                        event.source(),
                        event.payload(),
                        queued.receivedAt().toEpochMilli())
                .query(Long.class)
                .single();
    }

    private static String reasonOf(Throwable reason) {
        return String.valueOf(reason.getMessage());
    }

    private void keep(long id, Throwable reason) {
        jdbc.sql("UPDATE dead_letters SET reason = ? WHERE id = ?")
                .params(reasonOf(reason), id)
                .update();
        jdbc.sql("DELETE FROM replay_requests WHERE dead_letter_id = ?")
                .param(id)
                .update();
        LOG.warn("Dead letter {} still can't be stored: {}", id, SettlementLog.oneLine(reasonOf(reason)));
    }
}
