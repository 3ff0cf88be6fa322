-- Renew leases. ARGV: prefix, lease in ms, id, fence, id, fence …   Returns the ids whose lease is lost.
local lease, now, lost = tonumber(ARGV[2]), now_ms(), {}
for i = 3, #ARGV, 2 do
  local f = call('HMGET', P .. 'job:' .. ARGV[i], 'status', 'fence')
  if f[1] == 'running' and f[2] == ARGV[i + 1] then
    call('ZADD', P .. 'leases', now + lease, ARGV[i])
  else
    lost[#lost + 1] = ARGV[i]
  end
end
return lost
