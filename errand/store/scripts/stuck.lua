-- The job that waits longest in each queue, while no doorbell is still to be rung. ARGV: prefix.   Returns {queue, id, …}.
-- Shared: queue, priorities.
local rows = {}
if call('ZCARD', P .. 'outbox') > 0 then return rows end
for _, queue in ipairs(call('SMEMBERS', P .. 'queues')) do
  local _, id = longest_waiting(queue)
  if id then
    rows[#rows + 1] = queue
    rows[#rows + 1] = id
  end
end
return rows
