#!lua flags=allow-oom
-- Note which services a worker process runs, or read what all have noted. ARGV: prefix, ms after which a service
-- without a beat counts as down, then service, state of its own dependency ('' if it has none), service, state ... to
-- note (none: only read).
-- Returns {{service, state, service, state ...} with a recent beat, {queues in which jobs wait}, {operations of jobs
-- at the heads of these queues that are not in the catalogue}}.
-- Shared: queue, priorities.
local HEADS = 20
local now, beats, states = now_ms(), P .. 'services:beats', P .. 'services'
for i = 3, #ARGV, 2 do
  call('ZADD', beats, now, ARGV[i])
  call('HSET', states, ARGV[i], ARGV[i + 1])
end
if #ARGV > 2 then return {} end

local alive, queues, unknown, seen = {}, {}, {}, {}
for _, service in ipairs(call('ZRANGEBYSCORE', beats, now - tonumber(ARGV[2]), '+inf')) do
  alive[#alive + 1] = service
  alive[#alive + 1] = call('HGET', states, service) or ''
end
for _, queue in ipairs(call('SMEMBERS', P .. 'queues')) do
  local waits = false
  for _, priority in ipairs(PRIORITIES) do
    for _, id in ipairs(call('ZRANGE', waiting_key(queue, priority), 0, HEADS - 1)) do
      local operation = call('HGET', P .. 'job:' .. id, 'operation')
      waits = true
      if operation and not seen[operation] then
        seen[operation] = true
        if call('HEXISTS', P .. 'catalogue', operation) == 0 then unknown[#unknown + 1] = operation end
      end
    end
  end
  if waits then queues[#queues + 1] = queue end
end
return {alive, queues, unknown}
