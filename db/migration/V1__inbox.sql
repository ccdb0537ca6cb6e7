-- The inbox. Workers write here, in one statement per claim (see aggregator-worker's settle.sql); the API reads.

-- Every event, once. The primary key is what makes it once; what arrives later under the same key is a duplicate.
CREATE TABLE events (
    topic          text        NOT NULL,
    event_id       text        NOT NULL,
    ts             timestamptz NOT NULL,  -- when it happened, as its producer says
    source         text        NOT NULL,
    payload        jsonb       NOT NULL,
    received_at    timestamptz NOT NULL,  -- when the API took it
    stored_at      timestamptz NOT NULL DEFAULT statement_timestamp(),
    -- The order of arrival. Numbers are handed out before their transactions commit, so that a reader who follows the
    -- number alone skips what commits late; with the transaction's id it can stop before the oldest one still running.
    arrival_xid    xid8        NOT NULL DEFAULT pg_current_xact_id(),
    arrival_number bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (topic, event_id)
);
CREATE INDEX events_arrival ON events (arrival_xid, arrival_number);
CREATE INDEX events_topic_arrival ON events (topic, arrival_xid, arrival_number);

-- The claims whose events are counted. A claim that is delivered again finds its id here and changes nothing.
CREATE TABLE settled_claims (
    shard      integer     NOT NULL,
    sequence   bigint      NOT NULL,  -- Redis' running number of the claim
    nonce      text        NOT NULL,  -- keeps ids apart even if Redis' numbers start anew
    events     integer     NOT NULL,
    settled_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shard, sequence, nonce)
);

-- What was counted: for each topic, the sum of its row here and its rows in totals_delta.
CREATE TABLE topic_totals (
    topic         text   PRIMARY KEY,
    stored        bigint NOT NULL,
    duplicates    bigint NOT NULL,
    dead_lettered bigint NOT NULL
);

-- Settlements append here instead of updating the topic's total: workers never wait for each other's row, and a long
-- snapshot held open by somebody else costs nothing. Folded into topic_totals about once a second.
CREATE TABLE totals_delta (
    topic         text   NOT NULL,
    stored        bigint NOT NULL,
    duplicates    bigint NOT NULL,
    dead_lettered bigint NOT NULL
);

-- Entries that PostgreSQL can't hold or nobody can read, with the reason. They are counted under their topic; those
-- without a readable one under the empty topic, which no event can have.
CREATE TABLE dead_letters (
    id         bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    shard      integer     NOT NULL,
    sequence   bigint      NOT NULL,
    nonce      text        NOT NULL,
    position   integer     NOT NULL,  -- the entry's place in its claim, from 1
    topic      text,
    event_id   text,
    entry      bytea       NOT NULL,  -- as it lay on the queue
    reason     text        NOT NULL,
    died_at    timestamptz NOT NULL DEFAULT now()
);
