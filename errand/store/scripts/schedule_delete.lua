-- Delete a schedule; the jobs that it has started go on. ARGV: prefix, name.   Returns 1, or 0 if there was none.
call('ZREM', P .. 'schedules', ARGV[2])
return call('DEL', P .. 'schedule:' .. ARGV[2])
