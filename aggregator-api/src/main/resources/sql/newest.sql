-- The newest that was stored after a place, below the horizon, in the order of arrival. Of a large payload nothing is made.
--
-- Parameters: xid and number of the place, how many events at most
SELECT topic, event_id, ts, source, stored_at, arrival_xid::text AS xid, arrival_number,
    CASE WHEN pg_column_size(payload) < 8192 THEN left(payload::text, 200) END AS preview
FROM (
    SELECT *
    FROM events
    WHERE (arrival_xid, arrival_number) > (?::xid8, ?) AND arrival_xid < (SELECT arrival_horizon())
    ORDER BY arrival_xid DESC, arrival_number DESC
    LIMIT ?
) AS newest
ORDER BY arrival_xid, arrival_number
