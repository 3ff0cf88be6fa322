-- Read a job. ARGV: prefix, id.
-- Returns {} if there is none, else {{field, value, ...}, position in its queue or -1, expected ms until it ends or
-- -1}.
-- Shared: queue, priorities.
local id, now = ARGV[2], now_ms()
local job = P .. 'job:' .. id
local f = call('HMGET', job, 'status', 'queue', 'priority', 'operation', 'started_at', 'run_at', 'deleted')
local status = f[1]
if not status or f[7] then return {} end
local place, left = -1, -1
if not is_final(status) then
  local mean = tonumber(call('HGET', P .. 'durations', f[4]) or -1)
  local rest = mean
  if status == 'accepted' then
    local key = waiting_key(f[2], f[3] or nil)
    place = call('ZRANK', key, id) or 0
    for _, priority in ipairs(PRIORITIES) do
      local ahead = waiting_key(f[2], priority)
      if ahead == key then break end
      place = place + call('ZCARD', ahead)
    end
    rest = mean * (1 + place / math.max(1, call('ZCARD', P .. 'jobs:running')))
  elseif status == 'running' then
    rest = math.max(0, mean - (now - tonumber(f[5])))
  else
    rest = mean + math.max(0, tonumber(f[6]) - now)
  end
  if mean >= 0 then left = math.floor(rest) end
end
return {call('HGETALL', job), place, left}
