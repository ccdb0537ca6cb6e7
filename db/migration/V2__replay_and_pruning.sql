-- The dead letters that somebody asked to be tried again. The API writes here; a worker settles them, whatever becomes of
-- them, and takes the request away.
CREATE TABLE replay_requests (
    dead_letter_id bigint      PRIMARY KEY REFERENCES dead_letters ON DELETE CASCADE,
    requested_at   timestamptz NOT NULL DEFAULT now()
);

-- Which claims were open in Redis at a time. A claim that was settled before that time and was not open then has been
-- acknowledged. Once its fence has closed for everybody who may have held it, its id need not be remembered any more.
CREATE TABLE pruning_marks (
    noted_at    timestamptz PRIMARY KEY,
    open_claims text[]      NOT NULL  -- as nonce:sequence
);
CREATE INDEX settled_claims_settled_at ON settled_claims (settled_at);
