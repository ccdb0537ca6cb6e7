-- Queues the events of some requests, all of them or none, and counts them as received.
--
-- KEYS  queue, counters
-- ARGV  most unsettled events, most unsettled bytes, how many events, entry...
-- Gives 1, or 0 if nothing was queued since the queue is full.
--
-- The bound is on what is unsettled, not on the list: what a worker has claimed and not settled still fills Redis.
local counters = redis.call('HMGET', KEYS[2], 'received', 'settled', 'received_bytes', 'settled_bytes')
local bytes = 0
for i = 4, #ARGV do
  bytes = bytes + #ARGV[i]
end
if (tonumber(counters[1]) or 0) - (tonumber(counters[2]) or 0) + ARGV[3] > tonumber(ARGV[1])
  or (tonumber(counters[3]) or 0) - (tonumber(counters[4]) or 0) + bytes > tonumber(ARGV[2]) then
  return 0
end
-- unpack takes no more than about 8,000 values.
for first = 4, #ARGV, 1000 do
  redis.call('LPUSH', KEYS[1], unpack(ARGV, first, math.min(first + 999, #ARGV)))
end
redis.call('HINCRBY', KEYS[2], 'received', ARGV[3])
redis.call('HINCRBY', KEYS[2], 'received_bytes', bytes)
redis.call('HINCRBY', KEYS[2], 'queued', ARGV[3])
redis.call('HINCRBY', KEYS[2], 'queued_entries', #ARGV - 3)
return 1
