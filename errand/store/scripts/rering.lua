-- Doorbells got lost (the queue is empty, jobs wait): put the oldest waiting jobs back in the outbox, due at once.
-- ARGV: prefix, most.   Returns how many.
local ids = call('ZRANGE', P .. 'jobs:accepted', 0, tonumber(ARGV[2]) - 1)
for _, id in ipairs(ids) do call('ZADD', P .. 'outbox', 0, id) end
return #ids
