-- Like newest.sql, of some topics: a range of the index for each.
--
-- Parameters: topics, xid and number of the place, how many events at most, the same again
SELECT topic, event_id, ts, source, stored_at, arrival_xid::text AS xid, arrival_number,
    CASE WHEN pg_column_size(payload) < 8192 THEN left(payload::text, 200) END AS preview
FROM (
    SELECT arrived.*
    FROM unnest(?::text[]) AS wanted (wanted_topic)
    CROSS JOIN LATERAL (
        SELECT *
        FROM events
        WHERE topic >= wanted_topic AND topic <= wanted_topic
            AND (topic, arrival_xid, arrival_number) > (wanted_topic, ?::xid8, ?)
            AND arrival_xid < (SELECT arrival_horizon())
        ORDER BY topic DESC, arrival_xid DESC, arrival_number DESC
        LIMIT ?
    ) AS arrived
    ORDER BY arrival_xid DESC, arrival_number DESC
    LIMIT ?
) AS newest
ORDER BY arrival_xid, arrival_number
