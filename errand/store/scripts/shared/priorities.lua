-- Needs queue.lua. The priorities, in the order in which they are claimed.
local PRIORITIES = {'high', 'normal', 'low'}

local function is_empty(queue)
  for _, priority in ipairs(PRIORITIES) do
    if call('EXISTS', waiting_key(queue, priority)) == 1 then return false end
  end
  return true
end

-- Note that a worker found a queue empty: the script that puts the next job into it wakes this worker.
local function rest(queue, worker, now)
  local key = P .. 'idle:' .. queue
  if call('ZSCORE', key, worker) then return end
  call('ZADD', key, now, worker)
  call('ZREMRANGEBYRANK', key, 0, -1001)  -- the oldest are of workers that are gone: no worker removes its own
end

-- The job of a queue that has waited longest, whatever its priority: the key in which it waits, and its id.
local function longest_waiting(queue)
  local where, id, lowest
  for _, priority in ipairs(PRIORITIES) do
    local key = waiting_key(queue, priority)
    local head = call('ZRANGE', key, 0, 0, 'WITHSCORES')
    local waited_since = tonumber(head[2])
    if waited_since and (not lowest or waited_since < lowest) then where, id, lowest = key, head[1], waited_since end
  end
  return where, id
end
