-- Stands on queue.lua. In the order in which they are claimed.
local PRIORITIES = {'high', 'normal', 'low'}

local function is_empty(queue)
  for _, priority in ipairs(PRIORITIES) do
    if call('EXISTS', waiting_key(queue, priority)) == 1 then return false end
  end
  return true
end

-- A worker has nothing more to do for a queue: whoever lines up a job in it wakes this worker.
local function rest(queue, worker, now)
  local key = P .. 'idle:' .. queue
  if call('ZSCORE', key, worker) then return end
  call('ZADD', key, now, worker)
  call('ZREMRANGEBYRANK', key, 0, -1001)  -- the oldest are long gone: nobody takes back what he was noted for
end

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
