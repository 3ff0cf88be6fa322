#!lua flags=allow-oom
-- Renew leases, and store the progress and log lines of the running jobs. ARGV: prefix, lease in ms, count, then id,
-- fence, progress (JSON or '') so many times, then id, line, id, line ... of their logs.
-- Returns {ids whose lease is lost, ids to cancel}.
local lease, now, lost, cancel, held = tonumber(ARGV[2]), now_ms(), {}, {}, {}
local at = 4
if tonumber(ARGV[3]) > 1 then later = {} end
for _ = 1, tonumber(ARGV[3]) do
  local id, job = ARGV[at], P .. 'job:' .. ARGV[at]
  local f = call('HMGET', job, 'status', 'fence', 'cancel_requested')
  if f[1] == 'running' and f[2] == ARGV[at + 1] then
    held[id] = true
    zadd(P .. 'leases', int(now + lease), id)
    if f[3] then cancel[#cancel + 1] = id end
    if ARGV[at + 2] ~= '' then
      call('HSET', job, 'progress', ARGV[at + 2])
      tell(id, 'progress', '{"id":"' .. id .. '",' .. string.sub(ARGV[at + 2], 2))
    end
  else
    lost[#lost + 1] = id
  end
  at = at + 3
end
write_down()
local written = {}
for i = at, #ARGV, 2 do
  local id = ARGV[i]
  if held[id] then
    written[id] = true
    call('RPUSH', P .. 'log:' .. id, ARGV[i + 1])
    tell(id, 'log', cjson.encode({id = id, line = ARGV[i + 1]}))
  end
end
for id in pairs(written) do call('LTRIM', P .. 'log:' .. id, -1000, -1) end
return {lost, cancel}
