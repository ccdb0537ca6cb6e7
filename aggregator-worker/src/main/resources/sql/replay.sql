-- Moves an event out of the dead letters: one statement, one transaction, and every event stays counted once.
--
-- Parameters: dead letter's id; topic, event_id, timestamp, source, payload, time received (Unix, ms)
WITH letter AS (
    DELETE FROM dead_letters WHERE id = ? RETURNING coalesce(topic, '') AS topic
),
inserted AS (
    INSERT INTO events (topic, event_id, ts, source, payload, received_at)
    SELECT event.topic, event_id, ts, source, payload, to_timestamp(received_ms / 1000.0)
    FROM letter, (VALUES (?::text, ?::text, ?::timestamptz, ?::text, ?::jsonb, ?::bigint))
        AS event (topic, event_id, ts, source, payload, received_ms)
    ON CONFLICT (topic, event_id) DO NOTHING
    RETURNING topic
)
INSERT INTO totals_delta (topic, stored, duplicates, dead_lettered)
SELECT topic, 0, 0, -1 FROM letter
UNION ALL
SELECT ?::text, new, 1 - new, 0 FROM letter, (SELECT count(*) AS new FROM inserted) AS counted
