-- Moves what settlements counted into one row per topic. One worker at a time; another one's turn is simply skipped.
WITH delta AS (
    DELETE FROM totals_delta
    WHERE (SELECT pg_try_advisory_xact_lock(hashtext('aggregator:fold_totals')))
    RETURNING *
)
INSERT INTO topic_totals AS total (topic, stored, expired, duplicates, conflicting, dead_lettered)
SELECT topic, sum(stored), sum(expired), sum(duplicates), sum(conflicting), sum(dead_lettered)
FROM delta
GROUP BY topic
ORDER BY topic
ON CONFLICT (topic) DO UPDATE SET
    stored = total.stored + excluded.stored,
    expired = total.expired + excluded.expired,
    duplicates = total.duplicates + excluded.duplicates,
    conflicting = total.conflicting + excluded.conflicting,
    dead_lettered = total.dead_lettered + excluded.dead_lettered
