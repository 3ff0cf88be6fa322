#!lua flags=allow-oom
-- Commit a batch of outcomes: result or error, status and notification outbox in one step, refused where the fence is stale.
-- `retrying` becomes failed after the last attempt; `accepted` hands a job back, and that attempt doesn't count; both end a
-- job that was called off meanwhile.
-- ARGV: prefix, retention in ms, then id, fence, status, payload, pause in ms before a retry …
-- Returns for each its new status, or '' where it was refused; before it the services that have somebody to tell now.
-- Shared: order, queue, notices, notify, finish.
local ttl, now, answers = tonumber(ARGV[2]), now_ms(), {}
local spent = {}
for i = 3, #ARGV, 5 do
  local id, after, payload, answer = ARGV[i], ARGV[i + 2], ARGV[i + 3], ''
  local f = facts(id)
  if f.status == 'running' and f.fence == ARGV[i + 1] then
    local goes_on = after == 'retrying' or after == 'accepted'
    if goes_on and f.cancel_requested then
      after, payload, goes_on = 'cancelled', cancelled('called off while it ran'), false
    elseif after == 'retrying' and tonumber(f.attempt) >= tonumber(f.max_attempts) then
      after, goes_on = 'failed', false
    end
    if after == 'accepted' then
      send_back(id, f, int(f.attempt - 1), now)
    elseif goes_on then
      local due = now + tonumber(ARGV[i + 4])
      leave(id, 'running')
      move(id, 'running', 'retrying', f.seq, f.attempt)
      call('HSET', P .. 'job:' .. id, 'error', payload, 'run_at', int(due))
      call('ZADD', P .. 'due', due, id)
      if f.deadline then call('ZADD', P .. 'deadlines', f.deadline, id) end
    else
      answer = finish(id, f, after, payload, now, ttl)
      local mine = spent[f.operation] or {0, 0}
      spent[f.operation] = {mine[1] + 1, mine[2] + now - tonumber(f.started_at)}
    end
    answer = answer .. after
  elseif f.fence == ARGV[i + 1] and f.status == after then
    -- Asked again, as the first answer got lost? What is stored is stored, and once.
    local kept = after ~= 'accepted' and call('HGET', P .. 'job:' .. id, after == 'succeeded' and 'result' or 'error')
    if after == 'accepted' or kept == payload then answer = after end
  end
  answers[#answers + 1] = answer
end
-- How long jobs of an operation take, as one figure that follows slowly: clients are told when to ask again by it.
for operation, sums in pairs(spent) do
  local mean, latest = tonumber(call('HGET', P .. 'durations', operation)), sums[2] / sums[1]
  call('HSET', P .. 'durations', operation, string.format('%.1f', mean and mean + (latest - mean) / 8 or latest))
  call('HINCRBY', P .. 'totals', operation .. ' ms', int(sums[2]))
end
return answers
