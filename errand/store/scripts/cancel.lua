#!lua flags=allow-oom
-- Cancel a job: at once if it waits. If it runs, its worker is asked to, and sees that several times a second.
-- ARGV: prefix, id, ms to keep a cancelled job, the state that it must have ('': any).
-- Returns {done|requested|refused|unknown|changed, status before, services that have something to send now}.
-- Shared: places, queue, notification_keys, notify, finish, job_state.
local id, now = ARGV[2], now_ms()
local f = facts(id)
if not f.status or f.deleted then return {'unknown', '', ''} end
if not is_as_seen(f, ARGV[4]) then return {'changed', f.status, ''} end
if is_final(f.status) then return {'refused', f.status, ''} end
if f.status == 'running' then
  if not f.cancel_requested then call('HSET', P .. 'job:' .. id, 'cancel_requested', int(now)) end
  return {'requested', 'running', ''}
end
local services = finish(id, f, 'cancelled', cancelled('called off before it was started'), now, tonumber(ARGV[3]))
return {'done', f.status, services}
