-- Read a job and the range of events that are kept, at one moment. ARGV: prefix, id.
-- Returns {number of the oldest event or '', number of the latest or '', status or '' if there is no such job, attempt,
-- progress or ''}.
local function edge(command, from, to)
  local row = call(command, P .. 'events', from, to, 'COUNT', 1)[1]
  return row and row[1] or ''
end

local f = call('HMGET', P .. 'job:' .. ARGV[2], 'status', 'attempt', 'progress', 'deleted')
local status = not f[4] and f[1] or ''
return {edge('XRANGE', '-', '+'), edge('XREVRANGE', '+', '-'), status, f[2] or '0', f[3] or ''}
