#!lua flags=allow-oom
-- Do one round of the rescuer, by the one instance that holds the leader lease. The lease is taken or renewed here,
-- so that an instance that has lost it can't act.
-- ARGV: prefix, token, leader lease in ms, patience in ms, ms to keep a failed and a cancelled job, maximum number per
-- kind, gap in ms, grace in ms.
-- Returns nil to the others, else {recovered, failed, released, cancelled, removed, {id, queue, ...} whose doorbell
-- is to ring, ms until the next delayed job or -1, {id, operation, attempt, maximum of attempts, worker, 'failed' or
-- '', ...} of each attempt whose worker died}.
-- Shared: places, queue, notification_keys, notify, finish, delete, attempts.
local token, failed_for, cancelled_for, most = ARGV[2], tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local leader, now = P .. 'leader:rescuer', now_ms()
local holder = call('GET', leader)
if holder and holder ~= token then return nil end
call('SET', leader, token, 'PX', ARGV[3])

-- After a gap without rounds, the store itself may have been away, so that no worker could renew its leases. Leases
-- that expired in the gap get a grace period, in which workers that still live renew them.
local last = call('HMGET', P .. 'rounds', 'at', 'grace')
local grace = tonumber(last[2] or 0)
if last[1] and now - tonumber(last[1]) > tonumber(ARGV[8]) then grace = now + tonumber(ARGV[9]) end
call('HSET', P .. 'rounds', 'at', int(now), 'grace', int(grace))

local function due(key, until_ms)
  return call('ZRANGEBYSCORE', P .. key, '-inf', until_ms, 'LIMIT', 0, most)
end

-- How often the worker of a job died since a client last had it run again.
local function deaths(id)
  local count, before = 0, tonumber(call('HGET', P .. 'job:' .. id, 'attempts_before') or 0)
  for _, number in ipairs(attempts_with(id, 'worker_died')) do
    if number > before then count = count + 1 end
  end
  return math.max(count, 1)
end

-- 1. A lease that expired: its worker died. The job runs again, or has had its last attempt.
local recovered, failed, ended, lost = 0, 0, 0, {}
local function note_lost(id, f, outcome)
  local worker = call('HGET', P .. 'job:' .. id, 'worker') or ''
  for _, word in ipairs({id, f.operation, f.attempt, f.max_attempts, worker, outcome}) do
    lost[#lost + 1] = word
  end
end

for _, id in ipairs(now < grace and {} or due('leases', now)) do
  local f = facts(id)
  if f.status == 'running' then add_attempt(id, f, 'worker_died', nil, now, '') end
  if f.status ~= 'running' then
    call('ZREM', P .. 'leases', id)
  elseif f.cancel_requested then
    finish(id, f, 'cancelled', cancelled('called off while it ran, and its worker died'), now, cancelled_for)
    ended = ended + 1
  elseif tonumber(f.attempt) >= tonumber(f.max_attempts) then
    local count = deaths(id)
    local message = 'its worker died ' .. count .. (count == 1 and ' time' or ' times')
    finish(id, f, 'failed', cjson.encode({type = 'WorkerDied', message = message}), now, failed_for)
    note_lost(id, f, 'failed')
    failed = failed + 1
  else
    send_back(id, f, f.attempt, now)
    note_lost(id, f, '')
    recovered = recovered + 1
  end
end

-- 2. A deadline that passed: the job is cancelled, not started.
for _, id in ipairs(due('deadlines', now)) do
  local f = facts(id)
  if not f.status or f.status == 'running' or is_final(f.status) then
    call('ZREM', P .. 'deadlines', id)
  else
    finish(id, f, 'cancelled', deadline_passed(), now, cancelled_for)
    ended = ended + 1
  end
end

-- 3. A delay that is over.
local released = 0
for _, id in ipairs(due('due', now)) do
  local f = facts(id)
  if f.status == 'scheduled' or f.status == 'retrying' then
    send_back(id, f, f.attempt, now)
    released = released + 1
  else
    call('ZREM', P .. 'due', id)
  end
end

-- 4. A doorbell that was not confirmed: ring it now. It leaves the outbox once it is confirmed.
local ring = {}
for _, id in ipairs(due('outbox', now - tonumber(ARGV[4]))) do
  local f = call('HMGET', P .. 'job:' .. id, 'status', 'queue')
  if f[1] == 'accepted' then
    ring[#ring + 1] = id
    ring[#ring + 1] = f[2]
  else
    call('ZREM', P .. 'outbox', id)
  end
end

-- 5. Retention: a finished job whose time is over is deleted, unless a notification is still pending.
local removed = 0
for _, id in ipairs(due('retention', now)) do
  if all_notified(id) then
    delete(id)
    removed = removed + 1
  else
    call('ZADD', P .. 'retention', now + 60000, id)
  end
end
local head = call('ZRANGE', P .. 'due', 0, 0, 'WITHSCORES')
local next_due = head[2] and math.max(0, math.floor(head[2] - now)) or -1
return {recovered, failed, released, ended, removed, ring, next_due, lost}
