-- Needs places.lua, queue.lua and notify.lua.
local function moment_of(text, now)
  if text == '' then return nil end
  return string.sub(text, 1, 1) == '+' and now + tonumber(text) or tonumber(text)
end

-- Link a job to its replay: its latest replays stand in its record, and it counts as handled.
local function link_replay(origin, id)
  local MOST_BYTES = 20 * 37 - 1
  local job = P .. 'job:' .. origin
  local f = call('HMGET', job, 'status', 'replays', 'retries')
  if not f[1] then return end
  local replays = f[2] and f[2] .. ' ' .. id or id
  while #replays > MOST_BYTES and string.find(replays, ' ', 1, true) do
    replays = string.sub(replays, string.find(replays, ' ', 1, true) + 1)
  end
  call('HSET', job, 'replays', replays)
  if is_final(f[1]) then call('HSET', job, 'handled', f[3] or '0') end
end

-- Store a new job, as read_job returns it, with its receipts; it is accepted, or scheduled if it has a delay. `mail`
-- is 'on' or 'off'; `seq` is its place among all jobs. Returns its status.
local function accept(new, mail, now, seq)
  local id, queue, priority, emails = new.id, new.queue, new.priority, new.emails
  local job, due, deadline = P .. 'job:' .. id, moment_of(new.due, now), moment_of(new.deadline, now)
  local status = due and due > now and 'scheduled' or 'accepted'
  call('HSET', job, 'status', status, 'seq', int(seq), 'created_at', int(now), 'attempt', '0', 'fence', '0',
       'operation', new.operation, 'queue', queue, unpack(ARGV, new.first_field, new.last_field))
  if priority ~= 'normal' then call('HSET', job, 'priority', priority) end
  move(id, '', status, seq, '0')
  zadd(P .. 'jobs', seq, id)
  zadd(P .. 'operation:' .. new.operation, seq, id)
  if new.tags ~= '' then
    call('HSET', job, 'tags', new.tags)
    for _, tag in ipairs(cjson.decode(new.tags)) do zadd(P .. 'tag:' .. tag, seq, id) end
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
  if new.key ~= '' then
    call('HSET', job, 'key', new.key)
    call('SET', P .. 'key:' .. new.key, id .. ' ' .. new.fingerprint)
  end
  if ARGV[new.first_field] == 'origin' then link_replay(ARGV[new.first_field + 1], id) end
  if emails ~= '' then
    call('HSET', job, 'email', emails, 'mail', mail)
    if sends_on(job, 'accepted') then notify_addresses(job, id, 'receipt', '', nil, emails, mail, now) end
  end
  return status
end
