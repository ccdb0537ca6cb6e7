#!lua flags=no-writes
-- What Redis knows of the events, at one moment.
--
-- KEYS  queue, claims, counters, workers
-- ARGV  claim prefix, after how many ms without a sign of life a worker counts as gone
-- Gives {received, queued, number of the last claim, workers, now (Unix time in ms), head of the oldest entry,
--        id of an open claim, its size, ...}
local counters = redis.call('HMGET', KEYS[3], 'received', 'claims')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local statistics = {
  tonumber(counters[1]) or 0,
  redis.call('LLEN', KEYS[1]),
  tonumber(counters[2]) or 0,
  redis.call('ZCOUNT', KEYS[4], now - ARGV[2], '+inf'),
  now,
  -- Without the event, which may be large.
  string.sub(redis.call('LINDEX', KEYS[1], -1) or '', 1, 40),
}
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  statistics[#statistics + 1] = id
  statistics[#statistics + 1] = redis.call('LLEN', ARGV[1] .. id)
end
return statistics
