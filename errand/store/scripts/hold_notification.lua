#!lua flags=allow-oom
-- Renew the lease of a notification that takes long to send. ARGV: prefix, channel, name, id, attempt, lease in ms.
-- Returns 1, or 0 if a later attempt has begun or the notification was settled.
-- Shared: notification_keys.
local channel, name, id = ARGV[2], ARGV[3], ARGV[4]
local text = call('HGET', home_of(name, id), 'note:' .. channel .. ':' .. name)
local note = text and cjson.decode(text)
if not note or note.state ~= 'pending' or note.attempts ~= tonumber(ARGV[5]) then return 0 end
call('ZADD', notices_key(channel), 'XX', now_ms() + tonumber(ARGV[6]), member_of(channel, name, id, note.to))
return 1
