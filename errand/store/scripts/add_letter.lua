#!lua
-- Store a mail that belongs to no job; it is sent at least once. ARGV: prefix, id, to, subject, body.
-- Shared: notification_keys, notify.
local id = ARGV[2]
local key, now = P .. 'letter:' .. id, now_ms()
call('HSET', key, 'id', id, 'to', ARGV[3], 'subject', ARGV[4], 'body', ARGV[5], 'created_at', int(now))
notify(key, id, 'mail', 'letter', {kind = 'letter', to = ARGV[3]}, 'on', now)
return 1
