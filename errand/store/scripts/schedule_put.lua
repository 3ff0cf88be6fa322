#!lua
-- Store a schedule: new, changed, or as it was. If its cron and timezone stay, so does its next time: no tick is
-- lost or doubled. ARGV: prefix, name, version, rhythm, maximum number of schedules, next time in ms, times to come
-- (JSON), the state that it must have ('': any), then field, value ... of its definition.
-- Returns {'created'|'replaced'|'kept', {name, next time, {field, value, ...}}}, {'full'} or {'changed'}.
-- Shared: schedule_state.
local name, version, rhythm = ARGV[2], ARGV[3], ARGV[4]
local key, index, now = P .. 'schedule:' .. name, P .. 'schedules', int(now_ms())
if not is_as_seen(name, ARGV[8]) then return {'changed'} end
local old = call('HMGET', key, 'version', 'rhythm', 'created_at')
local verdict = not old[1] and 'created' or old[1] ~= version and 'replaced' or 'kept'
if verdict == 'created' and call('ZCARD', index) >= tonumber(ARGV[5]) then return {'full'} end
if verdict ~= 'kept' then
  local same_rhythm = old[2] == rhythm
  local kept = {'last_job', 'last_tick', 'skipped', same_rhythm and 'upcoming' or nil}
  local values = call('HMGET', key, unpack(kept))
  call('DEL', key)
  call('HSET', key, 'version', version, 'rhythm', rhythm, 'created_at', old[3] or now, 'updated_at', now,
       'upcoming', ARGV[7], unpack(ARGV, 9))
  for i, field in ipairs(kept) do
    if values[i] then call('HSET', key, field, values[i]) end
  end
  if not same_rhythm then call('ZADD', index, ARGV[6], name) end
end
return {verdict, {name, call('ZSCORE', index, name), call('HGETALL', key)}}
