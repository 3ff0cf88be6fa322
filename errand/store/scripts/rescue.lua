-- One round of the rescuer, by the one instance that holds the leader lease (taken or renewed here, so that an instance
-- that lost it can't act). ARGV: prefix, token, leader lease in ms, patience in ms, retention in ms, most per kind.
-- Returns nil for the others, else {recovered, failed, removed, {id, service, …} to ring}.
local token, most = ARGV[2], tonumber(ARGV[6])
local leader, now = P .. 'leader:rescuer', now_ms()
local holder = call('GET', leader)
if holder and holder ~= token then return nil end
call('SET', leader, token, 'PX', ARGV[3])

-- 1. A lease that expired: its worker died. The job runs again, or has had its last attempt.
local recovered, failed = 0, 0
for _, id in ipairs(call('ZRANGEBYSCORE', P .. 'leases', '-inf', now, 'LIMIT', 0, most)) do
  local f = call('HMGET', P .. 'job:' .. id, 'status', 'attempt', 'max_attempts', 'created_at', 'email', 'mail')
  if f[1] ~= 'running' then
    call('ZREM', P .. 'leases', id)
  elseif tonumber(f[2]) >= tonumber(f[3]) then
    local message = 'its worker died ' .. f[2] .. (f[2] == '1' and ' time' or ' times')
    local payload = cjson.encode({type = 'WorkerDied', message = message})
    finish(id, 'failed', payload, f[4], f[5], f[6], now, tonumber(ARGV[5]))
    failed = failed + 1
  else
    move(id, 'running', 'accepted', f[4])
    call('ZREM', P .. 'leases', id)
    call('ZADD', P .. 'outbox', 0, id)
    recovered = recovered + 1
  end
end

-- 2. A doorbell nobody confirmed: ring it now. It leaves the outbox when it is confirmed.
local ring = {}
for _, id in ipairs(call('ZRANGEBYSCORE', P .. 'outbox', '-inf', now - tonumber(ARGV[4]), 'LIMIT', 0, most)) do
  local f = call('HMGET', P .. 'job:' .. id, 'status', 'service')
  if f[1] == 'accepted' then
    ring[#ring + 1] = id
    ring[#ring + 1] = f[2]
  else
    call('ZREM', P .. 'outbox', id)
  end
end

-- 3. Retention: a finished job whose time is over goes, unless its owner is still to be told.
local removed = 0
for _, id in ipairs(call('ZRANGEBYSCORE', P .. 'retention', '-inf', now, 'LIMIT', 0, most)) do
  local job = P .. 'job:' .. id
  local pending = false
  for _, kind in ipairs({'receipt', 'result', 'failure'}) do
    pending = pending or call('ZSCORE', P .. 'notices', kind .. '/' .. id)
  end
  if pending then
    call('ZADD', P .. 'retention', now + 60000, id)
  else
    local status = call('HGET', job, 'status')
    if status then call('ZREM', P .. 'jobs:' .. status, id) end
    call('ZREM', P .. 'jobs', id)
    call('ZREM', P .. 'retention', id)
    call('DEL', job)
    removed = removed + 1
  end
end
return {recovered, failed, removed, ring}
