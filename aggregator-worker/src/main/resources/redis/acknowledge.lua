#!lua flags=allow-oom
-- Drops a claim whose events PostgreSQL has, and counts them as settled. Does nothing if that was done before.
--
-- KEYS  claims, counters, claim sizes, the claim's entries
-- ARGV  id, how many entries were settled, how many events they hold, how many bytes they have, the channel to tell
-- Gives how many events were counted, or -1 if the claim holds another number of entries: then it stays.
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  return 0
end
if redis.call('LLEN', KEYS[4]) ~= tonumber(ARGV[2]) then
  return -1
end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('UNLINK', KEYS[4])
redis.call('HINCRBY', KEYS[2], 'settled', ARGV[3])
redis.call('HINCRBY', KEYS[2], 'settled_bytes', ARGV[4])
redis.call('PUBLISH', ARGV[5], '')
return tonumber(ARGV[3])
