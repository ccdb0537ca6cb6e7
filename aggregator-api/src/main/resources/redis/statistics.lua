#!lua flags=no-writes
-- What Redis knows of the events, at one moment.
--
-- KEYS  queue, claims, counters, claim sizes, workers
-- ARGV  claim prefix, after how many ms without a sign of life a worker counts as gone
-- Gives {received, queued, number of the last claim, {nonce of a worker, ...}, now (Unix time in ms), head of the oldest
--        entry, unsettled events, their bytes, id of an open claim, its size, ...}

-- How many events a list holds. That was noted as its entries came and went. If it has not as many entries as were noted,
-- somebody else wrote to it, and what is really there is counted.
local function size(list, entries, events)
  local length = redis.call('LLEN', list)
  if length == tonumber(entries) then
    return tonumber(events)
  end
  events = 0
  for first = 0, length - 1, 100 do
    for _, entry in ipairs(redis.call('LRANGE', list, first, first + 99)) do
      -- As QueueEntry of common-model counts them.
      events = events + (tonumber(string.match(entry, '^2 ([1-9]%d?%d?)\n')) or 1)
    end
  end
  return events
end

local counters = redis.call('HMGET', KEYS[3], 'received', 'claims', 'queued_entries', 'queued', 'settled', 'received_bytes',
  'settled_bytes')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local statistics = {
  tonumber(counters[1]) or 0,
  size(KEYS[1], counters[3] or 0, counters[4] or 0),
  tonumber(counters[2]) or 0,
  redis.call('ZRANGEBYSCORE', KEYS[5], now - ARGV[2], '+inf'),
  now,
  -- Without the event, which may be large.
  string.sub(redis.call('LINDEX', KEYS[1], -1) or '', 1, 40),
  -- What enqueue.lua bounds.
  (tonumber(counters[1]) or 0) - (tonumber(counters[5]) or 0),
  (tonumber(counters[6]) or 0) - (tonumber(counters[7]) or 0),
}
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  local noted = redis.call('HGET', KEYS[4], id) or ''
  statistics[#statistics + 1] = id
  statistics[#statistics + 1] = size(ARGV[1] .. id, string.match(noted, '^(%d+) (%d+)$'))
end
return statistics
