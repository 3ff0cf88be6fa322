-- Doorbells of a queue got lost (it is empty, jobs wait): put the oldest that wait back in the outbox, due at once.
-- ARGV: prefix, most, queue.   Returns how many.
-- Shared: queue, priorities.
local count = 0
for _, priority in ipairs(PRIORITIES) do
  for _, id in ipairs(call('ZRANGE', waiting_key(ARGV[3], priority), 0, tonumber(ARGV[2]) - 1)) do
    call('ZADD', P .. 'outbox', 0, id)
    count = count + 1
  end
end
return count
