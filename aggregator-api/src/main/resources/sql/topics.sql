-- The topics behind one, in the order of their names. What it costs depends on how many are asked for, not on how many topics or
-- events there are; for a key that is for few topics, on how many topics there are.
--
-- Parameters: the topic; patterns as LIKE has them; how many; the topic; patterns; how many; how many
WITH page AS MATERIALIZED (
    SELECT topic
    FROM (
        (SELECT topic FROM topic_totals WHERE topic > ? AND topic LIKE ANY (?) ORDER BY topic LIMIT ?)
        UNION
        (SELECT DISTINCT topic FROM totals_delta WHERE topic > ? AND topic LIKE ANY (?) ORDER BY topic LIMIT ?)
    ) AS candidates
    ORDER BY topic
    LIMIT ?
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
        SELECT topic, stored, expired, duplicates, conflicting, dead_lettered FROM page JOIN topic_totals USING (topic)
        UNION ALL
        SELECT topic, stored, expired, duplicates, conflicting, dead_lettered FROM page JOIN totals_delta USING (topic)
    ) AS counted
    GROUP BY topic
)
SELECT totals.*, first.stored_at AS first_arrival, last.stored_at AS last_arrival
FROM totals
-- A range of one topic, in the order of the topics: with topic = … PostgreSQL may go through all topics in the order of arrival.
LEFT JOIN LATERAL (
    SELECT stored_at
    FROM events
    WHERE events.topic >= totals.topic AND events.topic <= totals.topic
    ORDER BY events.topic, arrival_xid, arrival_number
    LIMIT 1
) AS first ON true
LEFT JOIN LATERAL (
    SELECT stored_at
    FROM events
    WHERE events.topic >= totals.topic AND events.topic <= totals.topic
    ORDER BY events.topic DESC, arrival_xid DESC, arrival_number DESC
    LIMIT 1
) AS last ON true
ORDER BY topic
