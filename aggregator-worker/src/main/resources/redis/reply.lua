#!lua flags=allow-oom
-- Tells an API what has become of events that requests wait for there. It may be told twice. What is older than anybody
-- waits is dropped, and all of it if the API is gone and nobody reads it.
-- allow-oom: a Redis that is full must still be emptied.
--
-- KEYS  the API's replies
-- ARGV  for how many ms anybody waits, {request:index of an event, outcome}...
local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[1]
-- unpack takes no more than about 8,000 values.
for first = 2, #ARGV, 2000 do
  redis.call('XADD', KEYS[1], 'MINID', '~', string.format('%.0f', oldest), '*',
    unpack(ARGV, first, math.min(first + 1999, #ARGV)))
end
redis.call('PEXPIRE', KEYS[1], 2 * ARGV[1])
return 1
