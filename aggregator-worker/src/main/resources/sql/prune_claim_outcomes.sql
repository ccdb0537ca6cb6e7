-- Forgets the outcomes that nobody waits for any more. One worker at a time; another one's turn is simply skipped.
--
-- Parameter: how long anybody waits, in seconds
DELETE FROM claim_outcomes
WHERE settled_at < now() - make_interval(secs => ?)
    AND (SELECT pg_try_advisory_xact_lock(hashtext('aggregator:prune_claim_outcomes')))
