-- Accept a job: record, outbox, indexes, event and receipt, all or nothing. Asked twice for one id, it changes nothing.
-- ARGV: prefix, id, email or '', 'on'|'off' (mail), then field, value … of the record
-- (with 'email' and 'mail' again, where there is an address).
local id, email, wanted = ARGV[2], ARGV[3], ARGV[4]
local job, now = P .. 'job:' .. id, now_ms()
if call('EXISTS', job) == 1 then return 0 end
call('HSET', job, 'status', 'accepted', 'created_at', int(now), 'attempt', '0', 'fence', '0', unpack(ARGV, 5))
move(id, '', 'accepted', now)
call('ZADD', P .. 'jobs', now, id)
call('ZADD', P .. 'outbox', now, id)
if email ~= '' then
  notify(job, id, 'receipt', email, wanted, now)
end
return 1
