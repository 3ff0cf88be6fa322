-- Where jobs wait.
local function waiting_key(queue, priority) return P .. 'waiting:' .. queue .. ':' .. (priority or 'normal') end

-- Wake the worker that last found this queue empty, if one listens: it looks at once, before any doorbell could ring.
-- Nothing depends on it, for who isn't woken hears the doorbell, and looks once a second anyway.
local wakes = true
local function wake(queue)
  for _ = 1, 10 do
    local row = call('ZPOPMAX', P .. 'idle:' .. queue)
    if not row[1] or call('PUBLISH', P .. 'wake:' .. row[1], queue) > 0 then return end
  end
end

-- Line a job up in its queue. `rung` is the outbox's time: now when somebody rings at once, 0 to have the rescuer do it.
local function line_up(id, queue, priority, place, rung)
  call('ZADD', waiting_key(queue, priority), place, id)
  call('SADD', P .. 'queues', queue)
  call('ZADD', P .. 'outbox', rung, id)
  if wakes then wake(queue) end
end

-- Take a job out of where its status had it wait.
local function leave(id, before, queue, priority)
  if before == 'accepted' then
    call('ZREM', waiting_key(queue, priority), id)
    call('ZREM', P .. 'outbox', id)
  elseif before == 'running' then
    call('ZREM', P .. 'leases', id)
  else
    call('ZREM', P .. 'due', id)
  end
end
