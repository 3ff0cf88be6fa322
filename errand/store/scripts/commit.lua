-- Commit a batch of outcomes: result or error, status and notification outbox in one step, refused where the fence is stale.
-- ARGV: prefix, retention in ms, then id, fence, status, payload …
-- Returns one number each: 0 stale and refused, 1 committed, 2 committed and somebody is to be told.
local ttl, now, answers = tonumber(ARGV[2]), now_ms(), {}
for i = 3, #ARGV, 4 do
  local id, answer = ARGV[i], 0
  local f = call('HMGET', P .. 'job:' .. id, 'status', 'fence', 'created_at', 'email', 'mail')
  if f[1] == 'running' and f[2] == ARGV[i + 1] then
    local told = finish(id, ARGV[i + 2], ARGV[i + 3], f[3], f[4], f[5], now, ttl)
    answer = told and 2 or 1
  end
  answers[#answers + 1] = answer
end
return answers
