-- Read schedules. ARGV: prefix, the name of one, or '' for all.   Returns {{name, next time, {field, value, ...}},
-- ...}.
local index, rows = P .. 'schedules', {}
for _, name in ipairs(ARGV[2] ~= '' and {ARGV[2]} or call('ZRANGE', index, 0, -1)) do
  local record = call('HGETALL', P .. 'schedule:' .. name)
  if #record > 0 then rows[#rows + 1] = {name, call('ZSCORE', index, name), record} end
end
return rows
