#!lua flags=allow-oom
-- Claim jobs of a queue: each gets a lease and the next fencing number. High goes before normal before low, each in
-- order of arrival; but every tenth claim takes the job that has waited longest, whatever its priority, so that none
-- waits for ever. A job past its deadline is cancelled instead.
-- ARGV: prefix, lease in ms, worker name, ms to keep a cancelled job, queue, maximum number of jobs, then ids to claim only
-- these.
-- Returns {{id, fence, attempt, operation, arguments, timeout or '', max_attempts, retries, attempts before it was last
-- run again}, ...}.
-- Shared: places, queue, priorities, notification_keys, notify, finish, claim.
local lease, worker, kept, queue, most = tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6])
local now, claimed = now_ms(), {}

local function claim(id)
  local mine = claim_for(worker, id, lease, kept, now)
  if mine then claimed[#claimed + 1] = mine end
end

if #ARGV > 6 then
  if #ARGV > 7 then later = {} end
  for i = 7, #ARGV do
    local f = call('HMGET', P .. 'job:' .. ARGV[i], 'queue', 'priority')
    if f[1] then call('ZREM', waiting_key(f[1], f[2] or nil), ARGV[i]) end
    claim(ARGV[i])
  end
  write_down()
  return claimed
end

while #claimed < most do
  local keys = {}
  for _, priority in ipairs(PRIORITIES) do
    local key = waiting_key(queue, priority)
    if call('EXISTS', key) == 1 then keys[#keys + 1] = key end
  end
  if #keys == 0 then
    rest(queue, worker, now)
    break
  end
  local key, count = keys[1], most - #claimed
  if #keys > 1 then
    count = 1
    if call('INCR', P .. 'turn:' .. queue) % 10 == 0 then key = longest_waiting(queue) end
  end
  local row = call('ZPOPMIN', key, count)
  if #row > 2 and not later then later = {} end
  for i = 1, #row, 2 do claim(row[i]) end
end
write_down()
return claimed
