-- Stands on queue.lua. In the order in which they are claimed.
local PRIORITIES = {'high', 'normal', 'low'}

-- The job of a queue that has waited longest, whatever its priority: the key in which it waits, and its id.
local function longest_waiting(queue)
  local where, id, lowest
  for _, priority in ipairs(PRIORITIES) do
    local key = waiting_key(queue, priority)
    local head = call('ZRANGE', key, 0, 0, 'WITHSCORES')
    if head[2] and (not lowest or tonumber(head[2]) < lowest) then where, id, lowest = key, head[1], tonumber(head[2]) end
  end
  return where, id
end
