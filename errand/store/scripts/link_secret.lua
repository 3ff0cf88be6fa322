#!lua flags=allow-oom
-- Return the secret that signs the links in mails: the first that was proposed. ARGV: prefix, a new one.
call('SET', P .. 'link_secret', ARGV[2], 'NX')
return call('GET', P .. 'link_secret')
