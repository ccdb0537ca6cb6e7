-- Drops the marks that are older than the one that pruning goes by.
--
-- Parameter: as in prune_settled_claims.sql
DELETE FROM pruning_marks
WHERE noted_at < (SELECT max(noted_at) FROM pruning_marks WHERE noted_at < now() - make_interval(secs => ?))
