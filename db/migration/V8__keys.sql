-- Who may use the API, and for what. A key is 256 random bits, so a plain SHA-256 of it can't be turned back by guessing, and
-- of two keys no two have the same. A row is never deleted: the API asks for keys as soon as there is one, revoked or not.
CREATE TABLE api_keys (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    scopes text[] NOT NULL CHECK (cardinality(scopes) > 0 AND scopes <@ ARRAY['publish', 'read', 'admin']),
    -- Patterns, in which * stands for any characters, or none.
    topics text[] NOT NULL CHECK (cardinality(topics) > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz, -- null: never
    revoked_at timestamptz
);
