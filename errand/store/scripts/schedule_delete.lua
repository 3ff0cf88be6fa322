-- Delete a schedule; the jobs that it has started go on.
-- ARGV: prefix, name, the state that it must have ('': any).   Returns 'deleted', 'unknown' or 'changed'.
-- Shared: schedule_state.
local name, key = ARGV[2], P .. 'schedule:' .. ARGV[2]
if call('EXISTS', key) == 0 then return 'unknown' end
if not is_as_seen(name, ARGV[3]) then return 'changed' end
call('ZREM', P .. 'schedules', name)
call('DEL', key)
return 'deleted'
