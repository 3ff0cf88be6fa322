#!lua flags=allow-oom
-- Write something, so that a WAIT behind it waits until replicas have this and all that was written before. ARGV: prefix.
call('SET', P .. 'mark', int(now_ms()))
