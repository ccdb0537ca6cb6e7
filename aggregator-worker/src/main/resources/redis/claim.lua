#!lua flags=allow-oom
-- Moves the oldest entries of the queue into a claim of their own, which has a lease and whose content never changes.
-- allow-oom: a Redis that is full must still be emptied.
--
-- KEYS  queue, claims, counters
-- ARGV  most events, most bytes (the entry that passes it is still taken), lease in ms, the worker's nonce, claim prefix
-- Gives {id, end of the lease (Unix time in ms), entry...}, or false if the queue is empty.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return false
end
-- The id is made here, not by the worker: a client that sends the command again after a lost connection would else fill
-- one claim twice, and the acknowledgement of the first half would drop the second.
local id = string.format('%s:%.0f', ARGV[4], redis.call('HINCRBY', KEYS[3], 'claims', 1))
local time = redis.call('TIME')
local lease_end = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[3]
-- The lease first: entries that moved without one would lie there for ever.
redis.call('ZADD', KEYS[2], lease_end, id)
local claim = {id, string.format('%.0f', lease_end)}
local bytes = 0
while #claim - 2 < tonumber(ARGV[1]) and bytes < tonumber(ARGV[2]) do
  local entry = redis.call('LMOVE', KEYS[1], ARGV[5] .. id, 'RIGHT', 'RIGHT')
  if not entry then
    break
  end
  claim[#claim + 1] = entry
  bytes = bytes + #entry
end
return claim
