#!lua flags=allow-oom
-- The secret with which links in mails are signed: the first that was proposed. ARGV: prefix, a new one.   Returns it.
call('SET', P .. 'link_secret', ARGV[2], 'NX')
return call('GET', P .. 'link_secret')
