-- Whether a schedule is in the state that a client has `seen`: `state` of errand/store/schedules.py, or 'absent'. ''
-- fits any state.
local function is_as_seen(name, seen)
  if seen == '' then return true end
  local f = call('HMGET', P .. 'schedule:' .. name, 'version', 'updated_at', 'last_tick', 'skipped')
  if not f[1] then return seen == 'absent' end
  local due = call('ZSCORE', P .. 'schedules', name)
  return seen == table.concat({f[1], f[2], due, f[3] or '', f[4] or '0'}, ' ')
end
