-- Queues the events of one request, all or none, and counts them as received.
--
-- KEYS  queue, counters
-- ARGV  most unsettled events, most unsettled bytes, bytes of this request, entry...
-- Gives whether they were queued (1), or were not since the queue is full (0).
--
-- The bound is on what is unsettled, not on the list: what a worker has claimed and not settled still fills Redis.
local events = #ARGV - 3
local counters = redis.call('HMGET', KEYS[2], 'received', 'settled', 'received_bytes', 'settled_bytes')
local unsettled = (tonumber(counters[1]) or 0) - (tonumber(counters[2]) or 0)
local unsettled_bytes = (tonumber(counters[3]) or 0) - (tonumber(counters[4]) or 0)
if unsettled + events > tonumber(ARGV[1]) or unsettled_bytes + tonumber(ARGV[3]) > tonumber(ARGV[2]) then
  return 0
end
-- unpack takes no more than about 8,000 values.
for i = 4, #ARGV, 1000 do
  redis.call('LPUSH', KEYS[1], unpack(ARGV, i, math.min(i + 999, #ARGV)))
end
redis.call('HINCRBY', KEYS[2], 'received', events)
redis.call('HINCRBY', KEYS[2], 'received_bytes', ARGV[3])
return 1
