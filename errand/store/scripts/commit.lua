#!lua flags=allow-oom
-- Commit a batch of outcomes: result or error, status and notifications in one step. An outcome with a stale fence
-- is refused. `retrying` becomes `failed` after the last attempt; `accepted` hands a job back without counting the
-- attempt. A job that was cancelled meanwhile ends with either. An outcome without a fence belongs to a job that was
-- only offered: the job is claimed first, if it still waits.
-- ARGV: prefix, ms to keep a job that succeeded, failed or was cancelled, worker name, lease in ms, then id, fence,
-- status, payload, pause in ms before a retry, traceback or '', µs that the attempt took or 0 if unknown ...
-- Returns for each its new status, or '' if refused; before it, the services that have something to send now.
-- Shared: places, queue, priorities, notification_keys, notify, finish, claim, attempts.
local kept_for = {succeeded = tonumber(ARGV[2]), failed = tonumber(ARGV[3]), cancelled = tonumber(ARGV[4])}
local worker, lease, now, answers = ARGV[5], tonumber(ARGV[6]), now_ms(), {}
local spent, offered = {}, {}
if #ARGV > 13 then later = {} end

-- Claim an offered job; returns its fence.
local function claim(id)
  local f = call('HMGET', P .. 'job:' .. id, 'queue', 'priority')
  if not f[1] then return nil end
  offered[f[1]] = true
  call('ZREM', waiting_key(f[1], f[2] or nil), id)
  local mine = claim_for(worker, id, lease, kept_for.cancelled, now)
  return mine and mine[2]
end

for i = 7, #ARGV, 7 do
  local id, fence, after, payload, answer = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ''
  if fence == '' then fence = claim(id) end
  local f = facts(id)
  if f.status == 'running' and f.fence == fence then
    local goes_on, ended, failure = after == 'retrying' or after == 'accepted', after, payload
    if goes_on and f.cancel_requested then
      after, payload, goes_on = 'cancelled', cancelled('called off while it ran'), false
      if ended == 'accepted' then ended, failure = after, payload end
    elseif after == 'retrying' and tonumber(f.attempt) >= tonumber(f.max_attempts) then
      after, goes_on = 'failed', false
    end
    if after ~= 'accepted' and (after ~= 'succeeded' or f.attempt ~= '1') then
      if ended == 'succeeded' then failure = nil end
      add_attempt(id, f, ended == 'retrying' and 'failed' or ended, failure, now, ARGV[i + 5], kept_for.failed)
    end
    if after == 'accepted' then
      send_back(id, f, int(f.attempt - 1), now)
    elseif goes_on then
      local due = now + tonumber(ARGV[i + 4])
      leave(id, 'running')
      move(id, 'running', 'retrying', f.seq, f.attempt, 'error', payload, 'run_at', int(due))
      zadd(P .. 'due', due, id)
      if f.deadline then zadd(P .. 'deadlines', f.deadline, id) end
    else
      answer = finish(id, f, after, payload, now, kept_for[after])
      local mine, took = spent[f.operation] or {0, 0}, tonumber(ARGV[i + 6])
      if took == 0 then took = 1000 * (now - tonumber(f.started_at)) end
      spent[f.operation] = {mine[1] + 1, mine[2] + took}
    end
    answer = answer .. after
  elseif f.fence == fence and f.status == after then
    -- The same outcome again, because the first answer got lost? It is stored already.
    local kept = after ~= 'accepted' and call('HGET', P .. 'job:' .. id, after == 'succeeded' and 'result' or 'error')
    if after == 'accepted' or kept == payload then answer = after end
  end
  answers[#answers + 1] = answer
end
-- The mean duration of an operation's jobs in ms, as a moving average: `Retry-After` is computed from it.
for operation, sums in pairs(spent) do
  local mean, latest = tonumber(call('HGET', P .. 'durations', operation)), sums[2] / sums[1] / 1000
  call('HSET', P .. 'durations', operation, string.format('%.3f', mean and mean + (latest - mean) / 8 or latest))
  call('HINCRBY', P .. 'busy', operation, int(sums[2]))
end
write_down()
-- The worker that took an offer looks again if more jobs wait; else the next job wakes it.
for queue in pairs(offered) do
  if is_empty(queue) then rest(queue, worker, now) else publish(P .. 'wake:' .. worker, cjson.encode({queue})) end
end
return answers
