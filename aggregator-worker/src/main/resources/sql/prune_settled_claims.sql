-- Forgets some of the claims that nobody can settle any more; to be repeated until it deletes none.
--
-- Parameter: how long ago the open claims must have been noted, in seconds; every fence of then has closed since
DELETE FROM settled_claims
WHERE (shard, sequence, nonce) IN (
    SELECT shard, sequence, nonce
    FROM settled_claims, (
        SELECT noted_at, open_claims
        FROM pruning_marks
        WHERE noted_at < now() - make_interval(secs => ?)
        ORDER BY noted_at DESC
        LIMIT 1
    ) AS mark
    WHERE settled_at < noted_at AND nonce || ':' || sequence <> ALL (open_claims)
    ORDER BY settled_at
    LIMIT 10000
)
