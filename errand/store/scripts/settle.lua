-- Write down how an attempt to notify ended. ARGV: prefix, kind, id, attempt, state, last error or '', delay in ms of the
-- next attempt, ms to keep a letter.   Returns 1, or 0 when a later attempt has begun.
local kind, id, state = ARGV[2], ARGV[3], ARGV[5]
local key = P .. (kind == 'letter' and 'letter:' or 'job:') .. id
local member, field, now = kind .. '/' .. id, 'note:mail:' .. kind, now_ms()
local text = call('HGET', key, field)
local note = text and cjson.decode(text)
if not note or note.state ~= 'pending' or note.attempts ~= tonumber(ARGV[4]) then return 0 end
note.state = state
note.last_error = ARGV[6] ~= '' and ARGV[6] or nil
if state == 'pending' then
  call('ZADD', P .. 'notices', now + tonumber(ARGV[7]), member)
else
  call('ZREM', P .. 'notices', member)
  if state == 'sent' then note.sent_at = now end
  if kind == 'letter' then call('PEXPIRE', key, ARGV[8]) end
end
call('HSET', key, field, cjson.encode(note))
return 1
