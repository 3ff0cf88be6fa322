#!lua flags=allow-oom
-- Read the catalogue of operations, after adding to it. ARGV: prefix, ms after which an operation is withdrawn
-- unless a worker publishes it again, then name, description, name, description ... to publish (none: only read).
-- Returns {name, description, ...}.
local now, rows = now_ms(), {}
local shown, texts = P .. 'catalogue:shown', P .. 'catalogue'
for i = 3, #ARGV, 2 do
  call('HSET', texts, ARGV[i], ARGV[i + 1])
  call('ZADD', shown, now, ARGV[i])
end
local gone = call('ZRANGEBYSCORE', shown, '-inf', now - tonumber(ARGV[2]))
for _, name in ipairs(gone) do
  call('HDEL', texts, name)
  call('ZREM', shown, name)
end
if #ARGV == 2 then rows = call('HGETALL', texts) end
return rows
