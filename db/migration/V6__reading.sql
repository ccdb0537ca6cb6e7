-- The place in the order of arrival at which a time begins: what is at places below it was stored before a minute after this time,
-- what is at it or above at most a minute before. Found by a search along the index events_arrival, so that events need no further
-- index, on stored_at, which every insert would pay for.
--
-- stored_at is when a statement began, and the place is that of its transaction, which began or wrote at most 30 seconds earlier
-- or later: no statement of a worker takes longer. So of two events, the one at the lower place was stored a minute after
-- the other one at most. The search takes one event for each place it looks at, and ends between two of which one was stored before
-- the time and the other not.
CREATE FUNCTION arrival_at(moment timestamptz) RETURNS xid8 LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
DECLARE
    before bigint := 0; -- at the event there, or below it, all was stored before; no event is at 0
    since bigint;       -- at the event there it was not
    probe bigint;
    found record;
BEGIN
    SELECT arrival_xid::text::bigint AS place, stored_at INTO found
    FROM events ORDER BY events.arrival_xid DESC, arrival_number DESC LIMIT 1;
    IF found IS NULL THEN
        RETURN '0'::xid8;
    END IF;
    IF found.stored_at < moment THEN
        RETURN (found.place + 1)::text::xid8;
    END IF;
    since := found.place;
    WHILE since - before > 1 LOOP
        probe := before + (since - before) / 2;
        SELECT arrival_xid::text::bigint AS place, stored_at INTO found
        FROM events
        WHERE events.arrival_xid >= probe::text::xid8
        ORDER BY events.arrival_xid, arrival_number
        LIMIT 1;
        IF found.stored_at < moment THEN
            before := found.place;
        ELSE
            since := probe;
        END IF;
    END LOOP;
    RETURN since::text::xid8;
END
$$;
