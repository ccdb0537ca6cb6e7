-- PostgreSQL's transaction ids start anew in another server: after a dump and a restore, what is stored next would have ids
-- below those of the rows that were restored, and come before them in the order of arrival. So the upper 16 bits of
-- events.arrival_xid are a generation, 0 until this happens; the lower 48 bits are the transaction's id.
CREATE TABLE arrival_generation (
    generation integer NOT NULL
);
CREATE UNIQUE INDEX arrival_generation_once ON arrival_generation ((true));
INSERT INTO arrival_generation VALUES (0);

-- The place of a transaction in the order of arrival.
CREATE FUNCTION arrival_xid(transaction xid8) RETURNS xid8 LANGUAGE sql STABLE AS $$
    SELECT ((generation::bigint << 48) + transaction::text::bigint)::text::xid8 FROM arrival_generation
$$;

-- Every event below this place is committed, and none will come there any more: the transactions that took these places are
-- over. So who reads the order of arrival up to here never skips an event.
CREATE FUNCTION arrival_horizon() RETURNS xid8 LANGUAGE sql STABLE AS $$
    SELECT arrival_xid(pg_snapshot_xmin(pg_current_snapshot()))
$$;

-- Begins a new generation if there are events at places that this server has not reached. Called after each migration.
CREATE FUNCTION renew_arrival_generation() RETURNS void LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    offset_of_generation bigint;
BEGIN
    LOCK TABLE arrival_generation IN SHARE ROW EXCLUSIVE MODE; -- of two that find it necessary, one does it
    IF (SELECT max(arrival_xid) FROM events) >= arrival_xid(pg_snapshot_xmax(pg_current_snapshot())) THEN
        UPDATE arrival_generation SET generation = generation + 1 RETURNING generation::bigint << 48 INTO offset_of_generation;
        EXECUTE format('ALTER TABLE events ALTER COLUMN arrival_xid SET DEFAULT (%s + pg_current_xact_id()::text::bigint)::text::xid8',
            offset_of_generation);
    END IF;
END
$$;
