-- Drops the conflicts that are not among the newest 10 of their key, for some of the keys that got new ones; to be repeated
-- until it had fewer than its limit. One worker at a time; another one's turn is simply skipped.
--
-- A conflict that is committed while this runs is not seen, nor is its note, which is committed with it: so whoever sees the
-- note sees all that it stands for, and one of the newest 10 is never dropped.
--
-- Parameter: how many notes at most
-- One row: how many notes there were
WITH noted AS (
    DELETE FROM conflicting_keys
    WHERE ctid = ANY (ARRAY(
        SELECT ctid
        FROM conflicting_keys
        WHERE (SELECT pg_try_advisory_xact_lock(hashtext('aggregator:prune_conflicts')))
        LIMIT ?
    ))
    RETURNING topic, event_id
),
-- First, since few keys have that many, and each is looked at once.
eleventh AS MATERIALIZED (
    SELECT key.topic, key.event_id, number
    FROM (SELECT DISTINCT topic, event_id FROM noted) AS key
    CROSS JOIN LATERAL (
        SELECT number
        FROM conflicts
        WHERE conflicts.topic = key.topic AND conflicts.event_id = key.event_id
        ORDER BY number DESC
        OFFSET 10
        LIMIT 1
    ) AS newest_too_many
),
dropped AS (
    DELETE FROM conflicts
    USING eleventh
    WHERE conflicts.topic = eleventh.topic AND conflicts.event_id = eleventh.event_id
        AND conflicts.number <= eleventh.number
)
SELECT count(*) FROM noted
