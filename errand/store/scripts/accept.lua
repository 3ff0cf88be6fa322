-- Accept a job: record, outbox, indexes, event and receipt, all or nothing. Asked twice for one id, it changes nothing.
-- ARGV: prefix, id, email or '', 'on'|'off' (mail), then field, value … of the record.
local id, email, wanted = ARGV[2], ARGV[3], ARGV[4]
local job, now = P .. 'job:' .. id, now_ms()
if call('HSETNX', job, 'status', 'accepted') == 0 then return 0 end
call('HSET', job, 'created_at', int(now), 'attempt', '0', 'fence', '0', unpack(ARGV, 5))
move(id, '', 'accepted', now)
call('ZADD', P .. 'jobs', now, id)
call('ZADD', P .. 'outbox', now, id)
if email ~= '' then
  call('HSET', job, 'email', email, 'mail', wanted)
  notify(job, id, 'receipt', email, wanted, now)
end
return 1
