#!lua flags=allow-oom
-- Store whether an address wants mails. ARGV: prefix, address, 'on'|'off'.   Returns 1, or 0 if nothing changed.
local key, address = P .. 'unsubscribed', string.lower(ARGV[2])
if ARGV[3] == 'on' then return call('ZREM', key, address) end
return call('ZADD', key, 'NX', int(now_ms()), address)
