#!lua flags=allow-oom
-- Take or renew the lease of a role. ARGV: prefix, role, token of the instance, lease in ms.
-- Returns 1 if this instance leads, 0 if another one does.
local leader = P .. 'leader:' .. ARGV[2]
local holder = call('GET', leader)
if holder and holder ~= ARGV[3] then return 0 end
call('SET', leader, ARGV[3], 'PX', ARGV[4])
return 1
