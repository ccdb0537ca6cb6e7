-- Settles a claim: one statement, one transaction, at READ COMMITTED. Whoever settles a claim again changes nothing.
--
-- Parameters, in their order:
--   shard, sequence, nonce   the claim's id
--   events                   how many events the claim has
--   fence                    after this time nothing may be settled: the claim's id may have been pruned
--   screen                   whether to let PostgreSQL prove each event first (an attempt failed with a data error)
--   awaited                  whether somebody waits for the outcome of any of the events
--   topics, event_ids, timestamps, sources, payloads, times received (Unix, ms), faults, lines
--                            the columns of the events; a fault is why a line can't be read, the lines themselves
--                            are given only where a fault is there or may be found
--   repeated                 whether an earlier event of the claim has the same key, a column, too
WITH claim (shard, sequence, nonce, events, fence, screen, awaited) AS (
    VALUES (?::integer, ?::bigint, ?::text, ?::integer, ?::timestamptz, ?::boolean, ?::boolean)
),
-- The gate. Of two that settle one claim, the second waits here until the first has committed, then finds the id there;
-- if the first rolled back, the second takes over.
gate AS (
    INSERT INTO settled_claims (shard, sequence, nonce, events)
    SELECT shard, sequence, nonce, events FROM claim WHERE now() < fence
    ON CONFLICT DO NOTHING
    RETURNING true
),
input AS MATERIALIZED (
    SELECT entry.*,
        fault IS NULL AND (NOT screen OR coalesce(
            pg_input_is_valid(payload, 'jsonb') AND pg_input_is_valid(ts, 'timestamptz'), false)) AS sound
    FROM claim, unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::bigint[], ?::text[], ?::bytea[],
        ?::boolean[])
        WITH ORDINALITY AS entry (topic, event_id, ts, source, payload, received_ms, fault, entry, repeated, position)
    WHERE EXISTS (SELECT FROM gate)
),
-- Sorted by key, so that workers that store the same keys at once wait for each other in one order and never deadlock.
inserted AS (
    INSERT INTO events (topic, event_id, ts, source, payload, received_at)
    SELECT topic, event_id, ts::timestamptz, source, payload::jsonb, to_timestamp(received_ms / 1000.0)
    FROM input
    WHERE sound
    ORDER BY topic COLLATE "C", event_id COLLATE "C", position
    ON CONFLICT (topic, event_id) DO NOTHING
    RETURNING topic, event_id, received_at
),
dead AS (
    INSERT INTO dead_letters (shard, sequence, nonce, position, topic, event_id, entry, reason)
    SELECT claim.shard, claim.sequence, claim.nonce, position, topic, event_id, entry,
        coalesce(fault, (pg_input_error_info(payload, 'jsonb')).message, (pg_input_error_info(ts, 'timestamptz')).message)
    FROM claim, input
    WHERE NOT sound
    RETURNING reason
),
counted AS (
    INSERT INTO totals_delta (topic, stored, duplicates, dead_lettered)
    SELECT topic, coalesce(stored, 0), events - dead_lettered - coalesce(stored, 0), dead_lettered
    FROM (
        SELECT coalesce(topic, '') AS topic, count(*) AS events, count(*) FILTER (WHERE NOT sound) AS dead_lettered
        FROM input
        GROUP BY 1
    ) AS claimed
    LEFT JOIN (SELECT topic, count(*) AS stored FROM inserted GROUP BY topic) AS new USING (topic)
    RETURNING stored, duplicates, dead_lettered
),
told AS (
    INSERT INTO claim_outcomes (shard, sequence, nonce, outcomes)
    SELECT shard, sequence, nonce, array_agg(outcome ORDER BY position)
    FROM claim, (
        SELECT position, CASE
                WHEN NOT sound THEN 'dead_lettered'
                WHEN position = min(position) OVER (PARTITION BY topic, event_id, sound)
                    AND (topic, event_id) IN (SELECT topic, event_id FROM inserted) THEN 'stored'
                ELSE 'duplicate'
            END AS outcome
        FROM input
    ) AS settled
    -- Without the subquery, PostgreSQL would do all of this before it finds that nobody waits.
    WHERE (SELECT awaited FROM claim)
    GROUP BY shard, sequence, nonce
    RETURNING outcomes
)
SELECT
    EXISTS (SELECT FROM gate) AS counted,
    (SELECT now() < fence FROM claim) AS in_time,
    coalesce(sum(stored), 0) AS stored,
    coalesce(sum(duplicates), 0) AS duplicates,
    coalesce(sum(dead_lettered), 0) AS dead_lettered,
    (SELECT array_agg(DISTINCT reason) FROM dead) AS reasons,
    -- Evaluated when all is inserted, and only where there are duplicates: all that was not inserted, and what may not have
    -- been, since it is of a key that another one was inserted of.
    CASE WHEN sum(duplicates) > 0 THEN (
        SELECT keep_conflicts(array_agg(
            ROW(topic, event_id, ts::timestamptz, source, payload::jsonb, to_timestamp(received_ms / 1000.0))::duplicate
            ORDER BY topic COLLATE "C", event_id COLLATE "C", position))
        FROM input
        WHERE sound AND (repeated OR (topic, event_id) NOT IN (SELECT topic, event_id FROM inserted))
    ) ELSE 0 END AS conflicting,
    -- The times at which the API received what was stored, Unix, in ms, each with how many events it was: there are few, since
    -- the events of a request have one, and those of a busy API come in the same millisecond.
    (
        SELECT array_agg(ARRAY[(extract(epoch FROM received_at) * 1000)::bigint, events])
        FROM (SELECT received_at, count(*) AS events FROM inserted GROUP BY received_at) AS received
    ) AS stored_received,
    (SELECT outcomes FROM told) AS outcomes
FROM counted
