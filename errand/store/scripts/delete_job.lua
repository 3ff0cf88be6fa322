#!lua flags=allow-oom
-- Delete a finished job. Its record stays until its notifications are sent, which may be at once.
-- ARGV: prefix, id, the state that it must have ('': any).   Returns {done|refused|unknown|changed, status}.
-- Shared: places, queue, notification_keys, notify, finish, delete, job_state.
local id = ARGV[2]
local f = facts(id)
if not f.status or f.deleted then return {'unknown', ''} end
if not is_as_seen(f, ARGV[3]) then return {'changed', f.status} end
if not is_final(f.status) then return {'refused', f.status} end
if all_notified(id) then
  delete(id)
else
  unlist(id)
  call('HSET', P .. 'job:' .. id, 'deleted', '1')
  call('ZADD', P .. 'retention', 0, id)
end
return {'done', f.status}
