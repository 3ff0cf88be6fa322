-- Claim a batch: each waiting job gets a lease and the next fencing number; all others are left out of the answer.
-- ARGV: prefix, lease in ms, worker name, id …   Returns {{id, fence, attempt, operation, arguments}, …}.
local lease, worker = tonumber(ARGV[2]), ARGV[3]
local now, claimed = now_ms(), {}
for i = 4, #ARGV do
  local id = ARGV[i]
  local job = P .. 'job:' .. id
  local f = call('HMGET', job, 'status', 'fence', 'attempt', 'created_at', 'operation', 'arguments')
  if f[1] == 'accepted' then
    local fence, attempt = int(f[2] + 1), int(f[3] + 1)
    move(id, 'accepted', 'running', f[4])
    call('HSET', job, 'fence', fence, 'attempt', attempt, 'started_at', int(now), 'worker', worker)
    call('ZADD', P .. 'leases', now + lease, id)
    claimed[#claimed + 1] = {id, fence, attempt, f[5], f[6]}
  end
end
return claimed
