#!lua flags=allow-oom
-- Moves the oldest entries of the queue into a claim of their own, which has a lease and whose content never changes.
-- allow-oom: a Redis that is full must still be emptied.
--
-- KEYS  queue, claims, counters, claim sizes
-- ARGV  most events, most bytes (the entry that passes one of them is still taken), lease in ms, the worker's nonce,
--       claim prefix, number of the last claim under that nonce
-- Gives {id, end of the lease (Unix time in ms), entry...}, or false if the queue is empty; nothing at all, and claims nothing,
-- if the worker needs another nonce.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return false
end
-- The id is made here, not by the worker: a client that sends the command again after a lost connection would else fill
-- one claim twice, and the acknowledgement of the first half would drop the second.
local number = redis.call('HINCRBY', KEYS[3], 'claims', 1)
-- After a start on older files the numbers come again: PostgreSQL would take what is in this claim for settled.
if number <= tonumber(ARGV[6]) then
  return {}
end
local id = string.format('%s:%.0f', ARGV[4], number)
local time = redis.call('TIME')
local lease_end = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[3]
-- The lease first: entries that moved without one would lie there for ever.
redis.call('ZADD', KEYS[2], lease_end, id)
local claim = {id, string.format('%.0f', lease_end)}
local events = 0
local bytes = 0
while events < tonumber(ARGV[1]) and bytes < tonumber(ARGV[2]) do
  local entry = redis.call('LMOVE', KEYS[1], ARGV[5] .. id, 'RIGHT', 'RIGHT')
  if not entry then
    break
  end
  claim[#claim + 1] = entry
  -- As QueueEntry of common-model counts them.
  events = events + (tonumber(string.match(entry, '^2 ([1-9]%d?%d?)\n')) or 1)
  bytes = bytes + #entry
end
redis.call('HSET', KEYS[4], id, (#claim - 2) .. ' ' .. events)
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HINCRBY', KEYS[3], 'queued', -events)
  redis.call('HINCRBY', KEYS[3], 'queued_entries', 2 - #claim)
else
  -- Whoever else may have written to the list, now it is empty for sure.
  redis.call('HSET', KEYS[3], 'queued', 0, 'queued_entries', 0)
end
return claim
