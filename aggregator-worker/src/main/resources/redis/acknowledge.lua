#!lua flags=allow-oom
-- Drops a claim whose events PostgreSQL has, and counts them as settled. Does nothing if that was done before.
--
-- KEYS  claims, counters, the claim's entries
-- ARGV  id, how many events were settled, how many bytes their entries have
-- Gives how many events were counted, or -1 if the claim holds another number than was settled: then it stays.
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  return 0
end
local events = redis.call('LLEN', KEYS[3])
if events ~= tonumber(ARGV[2]) then
  return -1
end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('UNLINK', KEYS[3])
redis.call('HINCRBY', KEYS[2], 'settled', events)
redis.call('HINCRBY', KEYS[2], 'settled_bytes', ARGV[3])
return events
