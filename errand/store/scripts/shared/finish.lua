-- Needs places.lua, queue.lua and notify.lua.
local NOTE_OF = {succeeded = 'result', failed = 'failure', cancelled = 'cancelled'}

-- The fields that a script needs to finish a job or to send it back.
local FACTS = {'status', 'fence', 'seq', 'attempt', 'max_attempts', 'queue', 'priority', 'email', 'mail', 'operation',
               'started_at', 'deadline', 'cancel_requested', 'deleted', 'webhook_url', 'retries'}
local function facts(id)
  local row, f = call('HMGET', P .. 'job:' .. id, unpack(FACTS)), {}
  for i, name in ipairs(FACTS) do f[name] = row[i] or nil end
  return f
end

-- Record the notifications of a job's end. Each end has notes of its own: the number of its run is part of their
-- names, after the first. A note about an end that a retry may undo has a copy of what the retry takes from the record.
-- Returns the services that have something to send now, each with a space after it.
local function notify_of_end(job, id, f, after, payload, now)
  local services, kind, ending = '', NOTE_OF[after], nil
  local run = f.retries and f.retries ~= '0' and f.retries or ''
  if after ~= 'succeeded' then
    ending = {status = after, error = payload, attempt = f.attempt, started_at = f.started_at, finished_at = int(now),
              run = run == '' and '0' or run}
  end
  if f.email and notify_addresses(job, id, kind, run, ending, f.email, f.mail, now) then services = 'mail ' end
  if f.webhook_url then
    local name = run == '' and kind or kind .. '-' .. run
    notify(job, id, 'webhook', name, {kind = kind, to = f.webhook_url, ending = ending}, 'on', now)
    services = services .. 'webhooks '
  end
  return services
end

-- Finish a job: its last move, its result or error, the `kept` ms until it is deleted, and its notifications, in one
-- step.
-- Returns the services that have something to send now, each with a space after it.
local function finish(id, f, after, payload, now, kept)
  local job = P .. 'job:' .. id
  leave(id, f.status, f.queue, f.priority)
  move(id, f.status, after, f.seq, f.attempt, after == 'succeeded' and 'result' or 'error', payload,
       'finished_at', int(now), 'expires_at', int(now + kept))
  if after == 'succeeded' and f.attempt ~= '1' then call('HDEL', job, 'error') end
  if f.deadline then zrem(P .. 'deadlines', id) end
  zadd(P .. 'retention', int(now + kept), id)
  tally(f.operation .. ' ' .. after, 1)
  if not (f.email or f.webhook_url) or not sends_on(job, after) then return '' end
  return notify_of_end(job, id, f, after, payload, now)
end

-- Send a running or delayed job back to its queue. `attempt` is the new value of its counter: one less if the attempt
-- doesn't count, as if it had never begun. A job that ran has waited before: it gets its first place again, ahead of the
-- jobs that came since.
local function send_back(id, f, attempt, now)
  local place = f.status == 'running' and f.seq or places(1)
  leave(id, f.status, f.queue, f.priority)
  if attempt ~= f.attempt then
    call('HSET', P .. 'job:' .. id, 'attempt', attempt)
    call('HDEL', P .. 'job:' .. id, 'started_at')
  end
  move(id, f.status, 'accepted', f.seq, attempt)
  line_up(id, f.queue, f.priority, place, 0)
  if f.deadline then zadd(P .. 'deadlines', f.deadline, id) end
end

local function cancelled(message) return cjson.encode({type = 'Cancelled', message = message}) end

local function deadline_passed()
  local message = 'nobody waits for it any more: its deadline passed before it was started'
  return cjson.encode({type = 'DeadlinePassed', message = message})
end
