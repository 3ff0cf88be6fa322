-- Read the last lines of a job's log. ARGV: prefix, id.
return call('LRANGE', P .. 'log:' .. ARGV[2], 0, -1)
