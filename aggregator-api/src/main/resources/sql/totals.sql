-- What PostgreSQL knows of the events, at one moment, to go with what Redis knew a moment before.
--
-- Parameters: sequences, nonces and sizes of the claims open in Redis; shard; the last claim's sequence; shard
-- One row for each topic, at least one; the first two columns are the same in each.
WITH open_claims AS (
    SELECT * FROM unnest(?::bigint[], ?::text[], ?::bigint[]) AS claim (sequence, nonce, events)
),
totals AS (
    SELECT
        topic,
        sum(stored)::bigint AS stored,
        sum(expired)::bigint AS expired,
        sum(duplicates)::bigint AS duplicates,
        sum(conflicting)::bigint AS conflicting,
        sum(dead_lettered)::bigint AS dead_lettered
    FROM (
        SELECT topic, stored, expired, duplicates, conflicting, dead_lettered FROM topic_totals
        UNION ALL
        SELECT topic, stored, expired, duplicates, conflicting, dead_lettered FROM totals_delta
    ) AS counted
    GROUP BY topic
)
SELECT claims.*, totals.*
FROM (
    SELECT
        (SELECT coalesce(sum(events), 0)
            FROM settled_claims
            WHERE shard = ? AND sequence > ?) AS settled_since,
        (SELECT coalesce(sum(events), 0)
            FROM open_claims
            WHERE NOT EXISTS (
                SELECT FROM settled_claims AS settled
                WHERE settled.shard = ?
                    AND settled.sequence = open_claims.sequence
                    AND settled.nonce = open_claims.nonce)) AS in_flight
) AS claims
LEFT JOIN totals ON true
ORDER BY topic
