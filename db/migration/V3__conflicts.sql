-- Duplicates whose content is not that of the stored event: the newest 10 of each key, since a producer that does this once
-- often does it with every event.
CREATE TABLE conflicts (
    topic       text        NOT NULL,
    event_id    text        NOT NULL,
    number      bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,  -- the order within a key
    ts          timestamptz NOT NULL,
    source      text        NOT NULL,
    payload     jsonb       NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (topic, event_id, number)
);

-- The keys that got a further conflict since a worker last saw to it that none keeps more than 10. Settlements append here, as
-- to totals_delta, so that one key with very many conflicts makes nobody wait. The first conflict of a key is not noted, which
-- is all that most keys get.
CREATE TABLE conflicting_keys (
    topic    text NOT NULL,
    event_id text NOT NULL
);

-- How many of the duplicates were conflicts.
ALTER TABLE topic_totals ADD COLUMN conflicting bigint NOT NULL DEFAULT 0;
ALTER TABLE totals_delta ADD COLUMN conflicting bigint NOT NULL DEFAULT 0;

-- What a worker found to be a duplicate.
CREATE TYPE duplicate AS (
    topic       text,
    event_id    text,
    ts          timestamptz,
    source      text,
    payload     jsonb,
    received_at timestamptz
);

-- Compares duplicates with the stored events, keeps those that differ and counts them; gives how many these are. It may get
-- a stored event itself, which does not differ. Later ones of a key count as newer.
--
-- Its statements see what the caller's does not: a volatile function has a snapshot of its own at READ COMMITTED, taken when
-- the caller has inserted what it could. So the event that made one a duplicate is always there, whether this claim stored it
-- or another one that was committed in between.
--
-- The stored events are looked up one by one: the plan is made when the table may be small, and kept while it grows.
CREATE FUNCTION keep_conflicts(duplicates duplicate[]) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
    conflicting duplicate[];
BEGIN
    -- As text: jsonb's own comparison takes 1.0 and 1.00 for equal. What is the same in every bit need not be written out.
    SELECT array_agg(ROW(sent.topic, sent.event_id, sent.ts, sent.source, sent.payload, sent.received_at)::duplicate ORDER BY place)
    INTO conflicting
    FROM unnest(duplicates) WITH ORDINALITY AS sent (topic, event_id, ts, source, payload, received_at, place)
    CROSS JOIN LATERAL (
        SELECT * FROM events WHERE events.topic = sent.topic AND events.event_id = sent.event_id OFFSET 0
    ) AS stored
    WHERE record_image_ne(ROW(sent.ts, sent.source, sent.payload), ROW(stored.ts, stored.source, stored.payload))
        AND (sent.ts, sent.source, sent.payload::text) <> (stored.ts, stored.source, stored.payload::text);
    IF conflicting IS NULL THEN
        RETURN 0;
    END IF;
    WITH conflict AS MATERIALIZED (
        SELECT sent.*, row_number() OVER (PARTITION BY topic COLLATE "C", event_id COLLATE "C" ORDER BY place DESC) AS age,
            (
                SELECT number
                FROM conflicts
                WHERE conflicts.topic = sent.topic AND conflicts.event_id = sent.event_id
                ORDER BY number DESC
                LIMIT 1
            ) AS before
        FROM unnest(conflicting) WITH ORDINALITY AS sent (topic, event_id, ts, source, payload, received_at, place)
    ),
    kept AS (
        INSERT INTO conflicts (topic, event_id, ts, source, payload, received_at)
        SELECT topic, event_id, ts, source, payload, received_at FROM conflict WHERE age <= 10 ORDER BY place
    ),
    noted AS (
        INSERT INTO conflicting_keys (topic, event_id)
        SELECT topic, event_id FROM conflict WHERE age = 2 OR (age = 1 AND before IS NOT NULL)
    )
    INSERT INTO totals_delta (topic, stored, duplicates, conflicting, dead_lettered)
    SELECT topic, 0, 0, count(*), 0 FROM conflict GROUP BY topic;
    RETURN cardinality(conflicting);
END
$$;
