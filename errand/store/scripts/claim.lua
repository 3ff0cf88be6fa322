#!lua flags=allow-oom
-- Claim jobs of a queue: each gets a lease and the next fencing number. High before normal before low, each in the order of
-- their arrival; but every tenth takes the job that waited longest, whatever its priority, so that none waits for ever.
-- A job past its deadline is cancelled instead. ARGV: prefix, lease in ms, worker name, retention in ms, queue, most, and
-- then ids, if just these are meant.
-- Returns {{id, fence, attempt, operation, arguments, timeout or '', max_attempts, retries}, …}.
-- Shared: order, queue, priorities, notices, notify, finish.
local lease, worker, ttl, queue, most = tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6])
local now, claimed = now_ms(), {}

local function claim(id)
  local job = P .. 'job:' .. id
  local f = call('HMGET', job, 'status', 'fence', 'attempt', 'seq', 'operation', 'arguments', 'timeout', 'max_attempts',
                 'retries', 'deadline')
  if f[1] ~= 'accepted' then return end
  if f[10] and tonumber(f[10]) < now then
    finish(id, facts(id), 'cancelled', deadline_passed(), now, ttl)
    return
  end
  local fence, attempt = int(f[2] + 1), int(f[3] + 1)
  move(id, 'accepted', 'running', f[4], attempt)
  call('HSET', job, 'fence', fence, 'attempt', attempt, 'started_at', int(now), 'worker', worker)
  if attempt ~= '1' then call('HDEL', job, 'error', 'progress') end
  call('ZREM', P .. 'outbox', id)  -- nobody need ring for it any more
  call('ZADD', P .. 'leases', now + lease, id)
  claimed[#claimed + 1] = {id, fence, attempt, f[5], f[6], f[7] or '', f[8], f[9] or '0'}
end

if #ARGV > 6 then
  for i = 7, #ARGV do
    local f = call('HMGET', P .. 'job:' .. ARGV[i], 'queue', 'priority')
    if f[1] then call('ZREM', waiting_key(f[1], f[2] or nil), ARGV[i]) end
    claim(ARGV[i])
  end
  return claimed
end

while #claimed < most do
  local keys = {}
  for _, priority in ipairs(PRIORITIES) do
    local key = waiting_key(queue, priority)
    if call('EXISTS', key) == 1 then keys[#keys + 1] = key end
  end
  if #keys == 0 then
    -- whoever lines up the next job wakes this worker
    if not call('ZSCORE', P .. 'idle:' .. queue, worker) then call('ZADD', P .. 'idle:' .. queue, now, worker) end
    break
  end
  local key, count = keys[1], most - #claimed
  if #keys > 1 then
    count = 1
    if call('INCR', P .. 'turn:' .. queue) % 10 == 0 then key = longest_waiting(queue) end
  end
  local row = call('ZPOPMIN', key, count)
  for i = 1, #row, 2 do claim(row[i]) end
end
return claimed
