-- Put before every script: what they share. ARGV[1] is always the key prefix.
-- @LEGAL@ is replaced by the table of errand/moves.py, a word a move; nothing else may change a status. One text and not
-- a Lua table, which would be built anew at every call.
local P = ARGV[1]
local LEGAL = '@LEGAL@'
local FINAL = ' succeeded failed cancelled '
local NOTE_OF = {succeeded = 'result', failed = 'failure', cancelled = 'cancelled'}
local call = redis.call

local function int(n) return string.format('%d', n) end

-- One clock for all: the store's own, in whole milliseconds.
local function now_ms()
  local t = call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- The same clock in microseconds, `count` of them that nobody was or will be given: they order all jobs, and a page of
-- the list can begin after any of them. Returns the first.
local function places(count)
  local t = call('TIME')
  local first = t[1] * 1000000 + t[2]
  local last = tonumber(call('GET', P .. 'clock') or 0)
  if first <= last then first = last + 1 end
  call('SET', P .. 'clock', int(first + count - 1))
  return first
end

local function is_final(status) return string.find(FINAL, ' ' .. status .. ' ', 1, true) end

local function tell(id, kind, data)
  call('XADD', P .. 'events', 'MAXLEN', '~', 20000, '*', 'id', id, 'event', kind, 'data', data)
end

-- Change a job's status, its place in the indexes, and tell those who watch. `before` is '' for a new job.
-- The caller has read `before` in this same script; an illegal move is a bug and stops the whole script.
local function move(id, before, after, seq, attempt)
  if not string.find(LEGAL, ' ' .. before .. '>' .. after .. ' ', 1, true) then
    error('illegal move of ' .. id .. ' from "' .. before .. '" to ' .. after)
  end
  if before ~= '' then
    call('ZREM', P .. 'jobs:' .. before, id)
    call('HSET', P .. 'job:' .. id, 'status', after)
  end
  call('ZADD', P .. 'jobs:' .. after, seq, id)
  tell(id, 'status', '{"id":"' .. id .. '","status":"' .. after .. '","attempt":' .. attempt .. '}')
end

local function waiting_key(queue, priority) return P .. 'waiting:' .. queue .. ':' .. (priority or 'normal') end

-- Line a job up in its queue. `rung` is the outbox's time: now when somebody rings at once, 0 to have the rescuer do it.
local function line_up(id, queue, priority, place, rung)
  call('ZADD', waiting_key(queue, priority), place, id)
  call('SADD', P .. 'queues', queue)
  call('ZADD', P .. 'outbox', rung, id)
end

-- Take a job out of where its status had it wait.
local function leave(id, before, queue, priority)
  if before == 'accepted' then
    call('ZREM', waiting_key(queue, priority), id)
    call('ZREM', P .. 'outbox', id)
  elseif before == 'running' then
    call('ZREM', P .. 'leases', id)
  else
    call('ZREM', P .. 'due', id)
  end
end

-- Record that somebody is to be told. Returns true when the mail service has something to do now. A job that was run again
-- may fail again: its attempts to tell go on counting, as their number is what an overtaken attempt is refused by.
local function notify(key, id, kind, to, wanted, now)
  local former = call('HGET', key, 'note:mail:' .. kind)
  local note = {channel = 'mail', to = to, kind = kind, since = now}
  note.attempts = former and cjson.decode(former).attempts or 0
  note.state = wanted == 'on' and 'pending' or 'disabled'
  call('HSET', key, 'note:mail:' .. kind, cjson.encode(note))
  if note.state == 'pending' then
    call('ZADD', P .. 'notices', now, kind .. '/' .. id)
    return true
  end
  return false
end

local function moment_of(text, now)
  if text == '' then return nil end
  return string.sub(text, 1, 1) == '+' and now + tonumber(text) or tonumber(text)
end

-- Store a new job, waiting or scheduled, with its receipt. `due` and `deadline` are '' or ms, '+' before them: from now.
-- `fields` is {name, value, …}: what else its record has. Returns its status.
local function accept(id, queue, priority, due, deadline, operation, tags, email, wanted, key, print, fields, now, seq)
  local job = P .. 'job:' .. id
  due, deadline = moment_of(due, now), moment_of(deadline, now)
  local status = due and due > now and 'scheduled' or 'accepted'
  call('HSET', job, 'status', status, 'seq', int(seq), 'created_at', int(now), 'attempt', '0', 'fence', '0',
       'operation', operation, 'queue', queue, unpack(fields))
  if priority ~= 'normal' then call('HSET', job, 'priority', priority) end
  move(id, '', status, seq, '0')
  call('ZADD', P .. 'jobs', seq, id)
  call('ZADD', P .. 'operation:' .. operation, seq, id)
  if tags ~= '' then
    call('HSET', job, 'tags', tags)
    for _, tag in ipairs(cjson.decode(tags)) do call('ZADD', P .. 'tag:' .. tag, seq, id) end
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
  if email ~= '' then
    call('HSET', job, 'email', email, 'mail', wanted)
    notify(job, id, 'receipt', email, wanted, now)
  end
  return status
end

-- What a script must know of a job to finish it or to send it back: f[1] status, f[2] fence and so on, as FACTS names.
local FACTS = {'status', 'fence', 'seq', 'attempt', 'max_attempts', 'queue', 'priority', 'email', 'mail', 'operation',
               'started_at', 'deadline', 'cancel_requested', 'deleted'}
local function facts(id)
  local row, f = call('HMGET', P .. 'job:' .. id, unpack(FACTS)), {}
  for i, name in ipairs(FACTS) do f[name] = row[i] or nil end
  return f
end

-- Finish a job: its last move, its answer, its retention, and the notification in the same commit.
-- Returns true when the mail service has something to do now.
local function finish(id, f, after, payload, now, ttl)
  local job = P .. 'job:' .. id
  leave(id, f.status, f.queue, f.priority)
  move(id, f.status, after, f.seq, f.attempt)
  call('HSET', job, after == 'succeeded' and 'result' or 'error', payload,
       'finished_at', int(now), 'expires_at', int(now + ttl))
  if after == 'succeeded' and f.attempt ~= '1' then call('HDEL', job, 'error') end
  if f.deadline then call('ZREM', P .. 'deadlines', id) end
  call('ZADD', P .. 'retention', now + ttl, id)
  call('HINCRBY', P .. 'totals', f.operation .. ' ' .. after, 1)
  return f.email and notify(job, id, NOTE_OF[after], f.email, f.mail, now) or false
end

-- Send a running or delayed job back to its queue. `attempt` is what its counter becomes.
local function send_back(id, f, attempt, now)
  leave(id, f.status, f.queue, f.priority)
  if attempt ~= f.attempt then call('HSET', P .. 'job:' .. id, 'attempt', attempt) end
  move(id, f.status, 'accepted', f.seq, attempt)
  line_up(id, f.queue, f.priority, places(1), 0)
  if f.deadline then call('ZADD', P .. 'deadlines', f.deadline, id) end
end

local function cancelled(message) return cjson.encode({type = 'Cancelled', message = message}) end

local function is_told(id)
  for _, kind in pairs(NOTE_OF) do
    if call('ZSCORE', P .. 'notices', kind .. '/' .. id) then return false end
  end
  return not call('ZSCORE', P .. 'notices', 'receipt/' .. id)
end

-- Take a finished job out of all lists and free its key; its record stays until its owner has been told.
local function unlist(id)
  local job = P .. 'job:' .. id
  local f = call('HMGET', job, 'status', 'operation', 'tags', 'key')
  call('ZREM', P .. 'jobs', id)
  if f[1] then call('ZREM', P .. 'jobs:' .. f[1], id) end
  if f[2] then call('ZREM', P .. 'operation:' .. f[2], id) end
  if f[3] then
    for _, tag in ipairs(cjson.decode(f[3])) do call('ZREM', P .. 'tag:' .. tag, id) end
  end
  if f[4] then
    local holder = call('GET', P .. 'key:' .. f[4])
    if holder and string.sub(holder, 1, #id) == id then call('DEL', P .. 'key:' .. f[4]) end
  end
end

local function forget(id)
  unlist(id)
  call('ZREM', P .. 'retention', id)
  call('DEL', P .. 'job:' .. id, P .. 'log:' .. id)
end
