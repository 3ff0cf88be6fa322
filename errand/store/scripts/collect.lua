-- Claim notifications that are due. The number of the attempt is the fence: an older attempt can't settle any more.
-- ARGV: prefix, lease in ms, most.   Returns {{kind, id, attempt, since, {field, value, …} of the record}, …}.
local now, due = now_ms(), {}
for _, member in ipairs(call('ZRANGEBYSCORE', P .. 'notices', '-inf', now, 'LIMIT', 0, tonumber(ARGV[3]))) do
  local kind, id = string.match(member, '^(%a+)/(.+)$')
  local key = P .. (kind == 'letter' and 'letter:' or 'job:') .. id
  local text = call('HGET', key, 'note:mail:' .. kind)
  local note = text and cjson.decode(text)
  if note and note.state == 'pending' then
    note.attempts = note.attempts + 1
    call('HSET', key, 'note:mail:' .. kind, cjson.encode(note))
    call('ZADD', P .. 'notices', now + tonumber(ARGV[2]), member)
    due[#due + 1] = {kind, id, note.attempts, int(note.since), call('HGETALL', key)}
  else
    call('ZREM', P .. 'notices', member)
  end
end
return due
