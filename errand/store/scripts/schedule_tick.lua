#!lua
-- Let a schedule start its job and go on to its next time, in one step. An instance that comes second finds another
-- next time and does nothing.
-- ARGV: prefix, 'on'|'off' (mail), name, version, next time as it was seen, next time from now on, times to come
-- (JSON), tick in ms, then the arguments of the job (shared/read_job.lua).
-- Returns 'started', 'skipped', 'again' (the job of this tick exists already) or 'late' (another instance was
-- faster, or the schedule was changed or deleted).
-- Shared: places, queue, notification_keys, notify, read_job, accept.
local name, tick, new = ARGV[3], ARGV[8], read_job(9)
local key, index = P .. 'schedule:' .. name, P .. 'schedules'
local f = call('HMGET', key, 'version', 'overlap', 'last_job')
if f[1] ~= ARGV[4] or tonumber(call('ZSCORE', index, name)) ~= tonumber(ARGV[5]) then return 'late' end

local answer = 'started'
local former = f[2] == 'skip' and f[3] and call('HGET', P .. 'job:' .. f[3], 'status')
if call('EXISTS', P .. 'job:' .. new.id) == 1 then
  answer = 'again'
elseif former and not is_final(former) then
  answer = 'skipped'
  call('HINCRBY', key, 'skipped', 1)
else
  accept(new, ARGV[2], now_ms(), places(1))
  call('HSET', P .. 'job:' .. new.id, 'schedule', name, 'tick', tick)
  call('HSET', key, 'last_job', new.id, 'last_tick', tick)
end
call('ZADD', index, ARGV[6], name)
call('HSET', key, 'upcoming', ARGV[7])
return answer
