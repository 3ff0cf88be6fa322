-- Run failed or cancelled jobs again, with as many attempts as they had; a deadline that they had no longer counts.
-- Attempts go on counting, so `max_attempts` grows.
-- ARGV: prefix, the state that they must have ('': any), 'unhandled' to pass over jobs that have been replayed, or '',
-- then id ...
-- Returns for each {done|refused|unknown|changed, status before, queue}.
-- Shared: places, queue, notification_keys, notify, finish, attempts, handled, job_state.
local now = now_ms()

-- Add the last attempt to the history, where a worker of an earlier release ended it and did not.
local function complete_history(id, f)
  local numbers = attempts_with(id)
  if f.attempt == '0' or not f.started_at or (numbers[#numbers] or 0) >= tonumber(f.attempt) then return end
  local row = call('HMGET', P .. 'job:' .. id, 'finished_at', 'error')
  add_attempt(id, f, f.status, row[2], row[1] or now, '')
end

local function again(id)
  local job = P .. 'job:' .. id
  local f = facts(id)
  if not f.status or f.deleted then return {'unknown', '', ''} end
  if not is_as_seen(f, ARGV[2]) then return {'changed', f.status, ''} end
  if f.status ~= 'failed' and f.status ~= 'cancelled' then return {'refused', f.status, ''} end
  if ARGV[3] == 'unhandled' and is_handled(call('HGET', job, 'handled'), f.retries) then
    return {'refused', f.status, ''}
  end
  complete_history(id, f)
  local before = call('HGET', job, 'attempts_before') or 0
  call('HSET', job, 'attempts_before', f.attempt, 'max_attempts', int(f.max_attempts - before + f.attempt))
  call('HDEL', job, 'error', 'progress', 'started_at', 'finished_at', 'expires_at', 'run_at', 'deadline',
       'cancel_requested')
  call('HINCRBY', job, 'retries', 1)
  call('ZREM', P .. 'retention', id)
  move(id, f.status, 'accepted', f.seq, f.attempt)
  line_up(id, f.queue, f.priority, places(1), now)
  return {'done', f.status, f.queue}
end

local answers = {}
for i = 4, #ARGV do answers[#answers + 1] = again(ARGV[i]) end
return answers
