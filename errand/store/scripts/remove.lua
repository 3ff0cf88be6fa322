#!lua flags=allow-oom
-- Remove a finished job for its client; the record goes when its owner has been told, which may be at once.
-- ARGV: prefix, id.   Returns {done|refused|unknown, status}.
-- Shared: order, queue, notices, notify, finish, forget.
local id = ARGV[2]
local f = facts(id)
if not f.status or f.deleted then return {'unknown', ''} end
if not is_final(f.status) then return {'refused', f.status} end
if is_told(id) then
  forget(id)
else
  unlist(id)
  call('HSET', P .. 'job:' .. id, 'deleted', '1')
  call('ZADD', P .. 'retention', 0, id)
end
return {'done', f.status}
