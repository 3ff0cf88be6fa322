-- Where jobs wait.
local function waiting_key(queue, priority) return P .. 'waiting:' .. queue .. ':' .. (priority or 'normal') end

-- Publish to a channel; false if nobody listens, or if an access list forbids this user to publish.
local function publish(channel, text)
  local heard = redis.pcall('PUBLISH', channel, text)
  return type(heard) == 'number' and heard > 0
end

-- Wake the worker that last found this queue empty, if it still listens: it looks at once, before any doorbell could
-- ring. Nothing depends on it, as a worker that isn't woken hears the doorbell, and looks once a second anyway. A
-- small new job that may be started more than once is offered as well: it still waits, and the first worker to claim
-- it has it.
local wakes, nobody, OFFERED = true, {}, 1024
local function wake(queue, id)
  if nobody[queue] then return end
  local message
  for _ = 1, 10 do
    local row = call('ZPOPMAX', P .. 'idle:' .. queue)
    if not row[1] then
      nobody[queue] = true
      return
    end
    if not message then
      local f = call('HMGET', P .. 'job:' .. id, 'attempt', 'max_attempts', 'operation', 'arguments')
      local offer = f[1] == '0' and f[2] ~= '1' and #f[4] <= OFFERED
      message = cjson.encode(offer and {queue, id, f[3], f[4], f[2]} or {queue})
    end
    if publish(P .. 'wake:' .. row[1], message) then return end
  end
end

local known = {}

-- Put a job into its queue. `rung` is its time in the outbox: now if the caller rings at once, 0 to have the rescuer ring.
local function line_up(id, queue, priority, place, rung)
  zadd(waiting_key(queue, priority), place, id)
  if not known[queue] then call('SADD', P .. 'queues', queue) end
  known[queue] = true
  zadd(P .. 'outbox', rung, id)
  if wakes then wake(queue, id) end
end

-- Take a job out of the set in which it waits by its status.
local function leave(id, before, queue, priority)
  if before == 'accepted' then
    zrem(waiting_key(queue, priority), id)
    zrem(P .. 'outbox', id)
  elseif before == 'running' then
    zrem(P .. 'leases', id)
  else
    zrem(P .. 'due', id)
  end
end
