#!lua flags=allow-oom
-- Keep a notification that takes its time from being claimed by others. ARGV: prefix, channel, name, id, attempt, lease in ms.
-- Returns 1, or 0 when a later attempt has begun or it was settled.
-- Shared: notices.
local channel, name, id = ARGV[2], ARGV[3], ARGV[4]
local text = call('HGET', home_of(name, id), 'note:' .. channel .. ':' .. name)
local note = text and cjson.decode(text)
if not note or note.state ~= 'pending' or note.attempts ~= tonumber(ARGV[5]) then return 0 end
call('ZADD', notices_key(channel), 'XX', now_ms() + tonumber(ARGV[6]), member_of(channel, name, id, note.to))
return 1
