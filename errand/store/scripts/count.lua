-- Count everything, for the operators' metrics. ARGV: prefix, then the statuses.
-- Returns {{jobs in each status}, {queue, priority, waiting, ms that the first one has waited, ...}, outbox, {mails
-- due, webhooks due}, delayed, totals, durations, busy}.
-- Shared: queue, priorities, notification_keys.
local now, jobs, waiting = now_ms(), {}, {}
for i = 2, #ARGV do jobs[#jobs + 1] = call('ZCARD', P .. 'jobs:' .. ARGV[i]) end
for _, queue in ipairs(call('SMEMBERS', P .. 'queues')) do
  for _, priority in ipairs(PRIORITIES) do
    local key = waiting_key(queue, priority)
    local head = call('ZRANGE', key, 0, 0, 'WITHSCORES')
    local row = {queue, priority, call('ZCARD', key), head[2] and math.floor(math.max(0, now - head[2] / 1000)) or 0}
    for _, value in ipairs(row) do waiting[#waiting + 1] = value end
  end
end
local notices = {}
for _, channel in ipairs({'mail', 'webhook'}) do
  notices[#notices + 1] = call('ZCOUNT', notices_key(channel), '-inf', now)
end
return {jobs, waiting, call('ZCARD', P .. 'outbox'), notices, call('ZCARD', P .. 'due'),
        call('HGETALL', P .. 'totals'), call('HGETALL', P .. 'durations'), call('HGETALL', P .. 'busy')}
