-- How long the newest events took from their publishing to their settlement, as far as they were stored in the last 5 seconds; no
-- row if none was. It goes by the clocks of the API and of PostgreSQL, and by the begin of the statement that stored them.
SELECT
    percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS p50_seconds,
    percentile_cont(0.99) WITHIN GROUP (ORDER BY seconds) AS p99_seconds
FROM (
    SELECT stored_at, greatest(0, extract(epoch FROM stored_at - received_at))::double precision AS seconds
    FROM events
    ORDER BY arrival_xid DESC, arrival_number DESC
    LIMIT 100
) AS newest
WHERE stored_at > statement_timestamp() - interval '5 seconds'
HAVING count(*) > 0
