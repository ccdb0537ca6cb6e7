-- How many of the stored events have expired: they were older than their topic's retention, and were deleted. The rows of
-- events are stored - expired.
--
-- So keep_conflicts may not find the event that made one a duplicate: it was there when the settlement inserted, and was
-- deleted before the function looked. Such a duplicate differs from nothing, and counts as a duplicate only.
ALTER TABLE topic_totals ADD COLUMN expired bigint NOT NULL DEFAULT 0;
ALTER TABLE totals_delta ADD COLUMN expired bigint NOT NULL DEFAULT 0;

-- Of some topics, those of which an event is older than it is kept.
--
-- after_xids and after_numbers are places in the order of arrival up to which nothing needs to be looked at: what deleted
-- events leave in the index costs time until it is vacuumed. It is the first event behind this place that tells; since
-- stored_at is not exactly in that order, one behind it may have been due for a while, a statement's time at most.
--
-- These functions read one topic's range of its index, in order, whatever the planner thinks of the table: it may have been
-- small when the plan was made, and a topic that was rare then may have most of the events by now. An event from the future
-- was stored while the clock was wrong; it is passed over, or those behind it would have to wait for that time.
CREATE FUNCTION topics_with_expired_events(
    topics text[], kept_seconds double precision[], after_xids xid8[], after_numbers bigint[]) RETURNS SETOF text
LANGUAGE sql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET enable_incremental_sort = off AS $$
    SELECT setting.topic
    FROM unnest(topics, kept_seconds, after_xids, after_numbers) AS setting (topic, kept_seconds, after_xid, after_number)
    CROSS JOIN LATERAL (
        SELECT stored_at
        FROM events
        WHERE (events.topic, arrival_xid, arrival_number) > (setting.topic, setting.after_xid, setting.after_number)
            AND events.topic <= setting.topic
            AND stored_at <= now()
        ORDER BY events.topic, arrival_xid, arrival_number
        LIMIT 1
    ) AS oldest
    WHERE oldest.stored_at < now() - make_interval(secs => setting.kept_seconds)
$$;

-- Looks at the first events of a topic behind a place in the order of arrival, deletes those that are older than they are
-- kept, with their conflicts, and counts them as expired. Gives how many these are, and a place up to which there are
-- none any more, and none will come; nothing while another session is at it, or
-- prunes conflicts.
--
-- It never waits for a settlement, so neither holds the other up for good: a settlement that has a key of an event that is
-- being deleted waits until that is committed, and stores the event anew. It deletes conflicts in no certain order, as
-- prune_conflicts.sql does, and so takes that one's turn, too.
CREATE FUNCTION expire_events(
    of_topic text, kept_seconds double precision, after_xid xid8, after_number bigint, at_most integer,
    OUT expired bigint, OUT up_to_xid xid8, OUT up_to_number bigint)
LANGUAGE plpgsql VOLATILE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET enable_incremental_sort = off AS $$
BEGIN
    IF NOT (pg_try_advisory_xact_lock(hashtext('aggregator:expire_events'))
            AND pg_try_advisory_xact_lock(hashtext('aggregator:prune_conflicts'))) THEN
        RETURN;
    END IF;
    WITH oldest AS (
        SELECT ctid AS row, topic, arrival_xid, arrival_number,
            stored_at < now() - make_interval(secs => kept_seconds) AS is_due
        FROM events
        WHERE (topic, arrival_xid, arrival_number) > (of_topic, after_xid, after_number)
            AND topic <= of_topic
            AND stored_at <= now()
        ORDER BY topic, arrival_xid, arrival_number
        LIMIT at_most
    ),
    looked_at AS MATERIALIZED (
        SELECT *, bool_and(is_due) OVER (ORDER BY topic, arrival_xid, arrival_number) AS none_stays FROM oldest
    ),
    deleted AS (
        DELETE FROM events
        WHERE ctid = ANY (ARRAY(SELECT row FROM looked_at WHERE is_due))
        RETURNING topic, event_id
    ),
    dropped AS (
        DELETE FROM conflicts
        WHERE ctid = ANY (ARRAY(
            SELECT conflict.row
            FROM deleted
            CROSS JOIN LATERAL (
                SELECT ctid AS row
                FROM conflicts
                WHERE conflicts.topic = deleted.topic AND conflicts.event_id = deleted.event_id
                OFFSET 0
            ) AS conflict
        ))
    ),
    counted AS (
        INSERT INTO totals_delta (topic, stored, duplicates, dead_lettered, expired)
        SELECT topic, 0, 0, 0, count(*) FROM deleted GROUP BY topic
    )
    SELECT all_deleted.count, arrival_xid, arrival_number
    INTO expired, up_to_xid, up_to_number
    FROM (SELECT count(*) FROM deleted) AS all_deleted
    LEFT JOIN (
        SELECT arrival_xid, arrival_number
        FROM looked_at
        WHERE none_stays AND arrival_xid < arrival_horizon()
        ORDER BY arrival_xid DESC, arrival_number DESC
        LIMIT 1
    ) AS last ON true;
END
$$;

-- Looks at some conflicts, in the order of their keys, and drops those of events that are gone: a settlement that was under
-- way when the event was deleted may have committed them afterwards. A conflict is never committed before its event, so what
-- has none here has lost it. Gives the place of the last one that it looked at, nothing when it looked at none.
CREATE FUNCTION drop_stray_conflicts(
    after_topic text, after_event_id text, after_number bigint, at_most integer,
    OUT last_topic text, OUT last_event_id text, OUT last_number bigint)
LANGUAGE plpgsql VOLATILE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET enable_incremental_sort = off AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('aggregator:prune_conflicts'));
    WITH looked_at AS MATERIALIZED (
        SELECT ctid AS row, topic, event_id, number
        FROM conflicts
        WHERE (topic, event_id, number) > (after_topic, after_event_id, after_number)
        ORDER BY topic, event_id, number
        LIMIT at_most
    ),
    dropped AS (
        DELETE FROM conflicts
        WHERE ctid = ANY (ARRAY(
            SELECT row
            FROM looked_at
            WHERE NOT EXISTS (
                SELECT FROM events WHERE events.topic = looked_at.topic AND events.event_id = looked_at.event_id OFFSET 0)
        ))
    )
    SELECT topic, event_id, number
    INTO last_topic, last_event_id, last_number
    FROM looked_at
    ORDER BY topic DESC, event_id DESC, number DESC
    LIMIT 1;
END
$$;
