-- Forget a schedule; the jobs it has started go on. ARGV: prefix, name.   Returns 1, or 0 where there was none.
call('ZREM', P .. 'schedules', ARGV[2])
return call('DEL', P .. 'schedule:' .. ARGV[2])
