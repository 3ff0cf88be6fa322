-- Run failed or cancelled jobs again, with all their attempts; a deadline that they had no longer counts.
-- ARGV: prefix, id ...   Returns for each {done|refused|unknown, status before, queue}.
-- Shared: places, queue, notification_keys, notify, finish.
local now = now_ms()

local function again(id)
  local job = P .. 'job:' .. id
  local f = facts(id)
  if not f.status or f.deleted then return {'unknown', '', ''} end
  if f.status ~= 'failed' and f.status ~= 'cancelled' then return {'refused', f.status, ''} end
  call('HDEL', job, 'error', 'progress', 'started_at', 'finished_at', 'expires_at', 'run_at', 'deadline',
       'cancel_requested')
  call('HSET', job, 'attempt', '0')
  call('HINCRBY', job, 'retries', 1)
  call('ZREM', P .. 'retention', id)
  move(id, f.status, 'accepted', f.seq, '0')
  line_up(id, f.queue, f.priority, places(1), now)
  return {'done', f.status, f.queue}
end

local answers = {}
for i = 2, #ARGV do answers[#answers + 1] = again(ARGV[i]) end
return answers
