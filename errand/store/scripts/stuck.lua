-- The job that waits longest in each queue, while no doorbell is still to be rung. ARGV: prefix.   Returns {queue, id, …}.
-- Shared: queue.
local rows = {}
if call('ZCARD', P .. 'outbox') > 0 then return rows end
for _, queue in ipairs(call('SMEMBERS', P .. 'queues')) do
  local best, lowest
  for _, priority in ipairs({'high', 'normal', 'low'}) do
    local head = call('ZRANGE', waiting_key(queue, priority), 0, 0, 'WITHSCORES')
    if head[2] and (not lowest or tonumber(head[2]) < lowest) then best, lowest = head[1], tonumber(head[2]) end
  end
  if best then
    rows[#rows + 1] = queue
    rows[#rows + 1] = best
  end
end
return rows
