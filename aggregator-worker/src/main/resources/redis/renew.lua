#!lua flags=allow-oom
-- Renews a claim's lease, or hands the claim back, for the worker that owns it: the one that knows when its lease ends.
-- Whoever takes a claim over gives it another end.
--
-- KEYS  claims
-- ARGV  id, end of the lease as the worker knows it, lease in ms from now on; 0 hands the claim back
-- Gives the end of the new lease (Unix time in ms), or 0 if the claim is another worker's by now, or was acknowledged.
local lease_end = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not lease_end or tonumber(lease_end) ~= tonumber(ARGV[2]) then
  return 0
end
local time = redis.call('TIME')
local new_end = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[3]
redis.call('ZADD', KEYS[1], 'XX', new_end, ARGV[1])
return new_end
