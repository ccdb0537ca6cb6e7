-- What was stored after a place, in the order of arrival. An event at or above the horizon may get others before it, and is
-- not final.
--
-- Parameters: xid and number of the place, how many events at most
SELECT topic, event_id, ts, source, payload::text AS payload, arrival_xid::text AS xid, arrival_number,
    arrival_xid < (SELECT arrival_horizon()) AS final,
    sum(pg_column_size(payload)) OVER () AS bytes
FROM events
WHERE (arrival_xid, arrival_number) > (?::xid8, ?)
ORDER BY arrival_xid, arrival_number
LIMIT ?
