#!lua flags=allow-oom
-- Takes over one claim whose lease ran out: its worker died, or lost Redis' answer.
--
-- KEYS  claims
-- ARGV  lease in ms, claim prefix
-- Gives {id, end of the new lease (Unix time in ms), entry...}, or false if no lease ran out.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local id = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 1)[1]
  -- A lease that ends later than any could have been given: the clock was set back since.
  or redis.call('ZRANGEBYSCORE', KEYS[1], now + 2 * ARGV[1], '+inf', 'LIMIT', 0, 1)[1]
if not id then
  return false
end
local lease_end = now + ARGV[1]
redis.call('ZADD', KEYS[1], lease_end, id)
local claim = redis.call('LRANGE', ARGV[2] .. id, 0, -1)
table.insert(claim, 1, string.format('%.0f', lease_end))
table.insert(claim, 1, id)
return claim
