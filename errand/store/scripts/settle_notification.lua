#!lua flags=allow-oom
-- Store how an attempt to send a notification ended. ARGV: prefix, channel, name, id, attempt, state, last error or
-- '', ms until the next attempt, ms to keep a letter.   Returns 1, or 0 if a later attempt has begun.
-- Shared: notification_keys.
local channel, name, id, state = ARGV[2], ARGV[3], ARGV[4], ARGV[6]
local home, field, now = home_of(name, id), 'note:' .. channel .. ':' .. name, now_ms()
local text = call('HGET', home, field)
local note = text and cjson.decode(text)
if not note or note.state ~= 'pending' or note.attempts ~= tonumber(ARGV[5]) then return 0 end
local key, member = notices_key(channel), member_of(channel, name, id, note.to)
note.state = state
note.last_error = ARGV[7] ~= '' and ARGV[7] or nil
note.settled = note.attempts
if state == 'pending' then
  call('ZADD', key, now + tonumber(ARGV[8]), member)
else
  call('ZREM', key, member)
  if state == 'sent' then note.sent_at, note.ending = now, nil end
  if name == 'letter' then call('PEXPIRE', home, ARGV[9]) end
end
call('HSET', home, field, cjson.encode(note))
return 1
