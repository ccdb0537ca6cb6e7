-- What was stored after a place, in the order of arrival. An event at or above the horizon may get others before it, and is
-- not final. The page is limited before anything is made of its payloads.
--
-- Parameters: xid and number of the place, how many events at most
SELECT topic, event_id, ts, source, CASE WHEN final THEN payload::text END AS payload, arrival_xid::text AS xid, arrival_number, final,
    sum(pg_column_size(payload)) OVER () AS page_bytes, max(pg_column_size(payload)) OVER () AS most_bytes
FROM (
    SELECT *, arrival_xid < (SELECT arrival_horizon()) AS final
    FROM events
    WHERE (arrival_xid, arrival_number) > (?::xid8, ?)
    ORDER BY arrival_xid, arrival_number
    LIMIT ?
) AS page
ORDER BY arrival_xid, arrival_number
