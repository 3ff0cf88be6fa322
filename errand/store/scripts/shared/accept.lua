-- Stands on order.lua, queue.lua and notify.lua.
local function moment_of(text, now)
  if text == '' then return nil end
  return string.sub(text, 1, 1) == '+' and now + tonumber(text) or tonumber(text)
end

-- Store a new job, waiting or scheduled, with its receipts. `due` and `deadline` are '' or ms, '+' before them: from now.
-- `fields` is {name, value, …}: what else its record has. Returns its status.
local function accept(id, queue, priority, due, deadline, operation, tags, emails, wanted, key, print, fields, now, seq)
  local job = P .. 'job:' .. id
  due, deadline = moment_of(due, now), moment_of(deadline, now)
  local status = due and due > now and 'scheduled' or 'accepted'
  call('HSET', job, 'status', status, 'seq', int(seq), 'created_at', int(now), 'attempt', '0', 'fence', '0',
       'operation', operation, 'queue', queue, unpack(fields))
  if priority ~= 'normal' then call('HSET', job, 'priority', priority) end
  move(id, '', status, seq, '0')
  zadd(P .. 'jobs', seq, id)
  zadd(P .. 'operation:' .. operation, seq, id)
  if tags ~= '' then
    call('HSET', job, 'tags', tags)
    for _, tag in ipairs(cjson.decode(tags)) do zadd(P .. 'tag:' .. tag, seq, id) end
  end
  if status == 'scheduled' then
    call('HSET', job, 'run_at', int(due))
    call('ZADD', P .. 'due', due, id)
  else
    line_up(id, queue, priority, seq, now)
  end
  if deadline then
    call('HSET', job, 'deadline', int(deadline))
    call('ZADD', P .. 'deadlines', deadline, id)
  end
  if key ~= '' then
    call('HSET', job, 'key', key)
    call('SET', P .. 'key:' .. key, id .. ' ' .. print)
  end
  if emails ~= '' then
    call('HSET', job, 'email', emails, 'mail', wanted)
    if is_to_be_told(job, 'accepted') then notify_addresses(job, id, 'receipt', emails, wanted, now) end
  end
  return status
end
