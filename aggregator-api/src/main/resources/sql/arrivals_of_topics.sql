-- Like arrivals.sql, of some topics: a range of the index for each.
--
-- Parameters: topics, xid and number of the place, how many events at most, the same again
SELECT topic, event_id, ts, source, CASE WHEN final THEN payload::text END AS payload, arrival_xid::text AS xid, arrival_number, final,
    sum(pg_column_size(payload)) OVER () AS page_bytes, max(pg_column_size(payload)) OVER () AS most_bytes
FROM (
    SELECT arrived.*, arrival_xid < (SELECT arrival_horizon()) AS final
    FROM unnest(?::text[]) AS wanted (wanted_topic)
    CROSS JOIN LATERAL (
        SELECT *
        FROM events
        WHERE topic >= wanted_topic AND topic <= wanted_topic
            AND (topic, arrival_xid, arrival_number) > (wanted_topic, ?::xid8, ?)
        ORDER BY topic, arrival_xid, arrival_number
        LIMIT ?
    ) AS arrived
    ORDER BY arrival_xid, arrival_number
    LIMIT ?
) AS page
ORDER BY arrival_xid, arrival_number
