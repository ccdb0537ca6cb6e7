#!lua flags=allow-oom
-- Notes that a worker lives, and forgets those that have not been heard of for long.
--
-- KEYS  workers
-- ARGV  the worker's nonce, after how many ms without a sign of life a worker is forgotten
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
return 1
