-- What has become of the events of a claim, in the order of its lines; only of claims with an event that somebody waits for.
-- A claim that is settled again changes nothing and could not tell. Kept for as long as anybody waits.
CREATE TABLE claim_outcomes (
    shard      integer     NOT NULL,
    sequence   bigint      NOT NULL,
    nonce      text        NOT NULL,
    outcomes   text[]      NOT NULL,  -- stored, duplicate or dead_lettered
    settled_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shard, sequence, nonce)
);
CREATE INDEX claim_outcomes_settled_at ON claim_outcomes (settled_at);
