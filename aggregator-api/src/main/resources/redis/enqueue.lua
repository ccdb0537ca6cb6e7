-- Queues the events of some requests, all of each or none, and counts them as received.
--
-- KEYS  queue, counters
-- ARGV  most unsettled events, most unsettled bytes; then for each request: how many events, how many bytes, entry...
-- Gives for each request whether its events were queued (1), or were not since the queue is full (0).
--
-- The bound is on what is unsettled, not on the list: what a worker has claimed and not settled still fills Redis.
local counters = redis.call('HMGET', KEYS[2], 'received', 'settled', 'received_bytes', 'settled_bytes')
local room = tonumber(ARGV[1]) - (tonumber(counters[1]) or 0) + (tonumber(counters[2]) or 0)
local room_bytes = tonumber(ARGV[2]) - (tonumber(counters[3]) or 0) + (tonumber(counters[4]) or 0)
local received = 0
local received_bytes = 0
local queued = {}
local i = 3
while i <= #ARGV do
  local events = tonumber(ARGV[i])
  local bytes = tonumber(ARGV[i + 1])
  local last = i + 1 + events
  if received + events > room or received_bytes + bytes > room_bytes then
    queued[#queued + 1] = 0
  else
    -- unpack takes no more than about 8,000 values.
    for first = i + 2, last, 1000 do
      redis.call('LPUSH', KEYS[1], unpack(ARGV, first, math.min(first + 999, last)))
    end
    received = received + events
    received_bytes = received_bytes + bytes
    queued[#queued + 1] = 1
  end
  i = last + 1
end
if received > 0 then
  redis.call('HINCRBY', KEYS[2], 'received', received)
  redis.call('HINCRBY', KEYS[2], 'received_bytes', received_bytes)
end
return queued
