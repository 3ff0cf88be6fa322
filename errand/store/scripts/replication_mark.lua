#!lua flags=allow-oom
-- Write something, so that a WAIT after it waits until the replicas have this and everything written before. ARGV:
-- prefix.
call('SET', P .. 'mark', int(now_ms()))
