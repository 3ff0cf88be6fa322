-- Needs queue.lua and finish.lua. Give a worker the lease of a waiting job that was taken out of its queue.
-- Returns {id, fence, attempt, operation, arguments, timeout or '', max_attempts, retries, attempts before it was last
-- run again}; or nil if the job no longer waits, or if its deadline has passed: then it is cancelled, and kept for
-- `kept` ms.
local function claim_for(worker, id, lease, kept, now)
  local job = P .. 'job:' .. id
  local f = call('HMGET', job, 'status', 'fence', 'attempt', 'seq', 'operation', 'arguments', 'timeout', 'max_attempts',
                 'retries', 'deadline', 'attempts_before')
  if f[1] ~= 'accepted' then return nil end
  if f[10] and tonumber(f[10]) < now then
    finish(id, facts(id), 'cancelled', deadline_passed(), now, kept)
    return nil
  end
  local fence, attempt = int(f[2] + 1), int(f[3] + 1)
  move(id, 'accepted', 'running', f[4], attempt,
       'fence', fence, 'attempt', attempt, 'started_at', int(now), 'worker', worker)
  if attempt ~= '1' then call('HDEL', job, 'error', 'progress') end
  zrem(P .. 'outbox', id)  -- no doorbell has to ring for it any more
  zadd(P .. 'leases', int(now + lease), id)
  return {id, fence, attempt, f[5], f[6], f[7] or '', f[8], f[9] or '0', f[11] or '0'}
end
