-- Find the schedules whose next time has come. ARGV: prefix, maximum number.
-- Returns {now in ms, name, next time, name, next time ...}.
local now = now_ms()
local rows = call('ZRANGE', P .. 'schedules', '-inf', now, 'BYSCORE', 'LIMIT', 0, tonumber(ARGV[2]), 'WITHSCORES')
table.insert(rows, 1, int(now))
return rows
