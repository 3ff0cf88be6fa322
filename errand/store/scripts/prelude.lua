-- Put before every script: what they share. ARGV[1] is always the key prefix.
-- @LEGAL@ is replaced by the table of errand/moves.py, a word a move; nothing else may change a status. One text and not
-- a Lua table, which would be built anew at every call.
local P = ARGV[1]
local LEGAL = '@LEGAL@'
local call = redis.call

-- One clock for all: the store's own, in whole milliseconds.
local function now_ms()
  local t = call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function int(n) return string.format('%d', n) end

-- Change a job's status, its place in the indexes, and tell those who watch. `before` is '' for a new job.
-- The caller has read `before` in this same script; an illegal move is a bug and stops the whole script.
local function move(id, before, after, created)
  if not string.find(LEGAL, ' ' .. before .. '>' .. after .. ' ', 1, true) then
    error('illegal move of ' .. id .. ' from "' .. before .. '" to ' .. after)
  end
  if before ~= '' then
    call('ZREM', P .. 'jobs:' .. before, id)
    call('HSET', P .. 'job:' .. id, 'status', after)
  end
  call('ZADD', P .. 'jobs:' .. after, created, id)
  call('XADD', P .. 'events', 'MAXLEN', '~', 10000, '*', 'id', id, 'status', after)
end

-- Record that somebody is to be told. Returns true when the mail service has something to do now.
local function notify(key, id, kind, to, wanted, now)
  local note = {channel = 'mail', to = to, kind = kind, attempts = 0, since = now}
  note.state = wanted == 'on' and 'pending' or 'disabled'
  call('HSET', key, 'note:mail:' .. kind, cjson.encode(note))
  if note.state == 'pending' then
    call('ZADD', P .. 'notices', now, kind .. '/' .. id)
    return true
  end
  return false
end

-- Finish a job: its last move, its answer, its retention, and the notification in the same commit.
local function finish(id, after, payload, created, email, wanted, now, ttl)
  local job = P .. 'job:' .. id
  move(id, 'running', after, created)
  call('ZREM', P .. 'leases', id)
  call('HSET', job, after == 'succeeded' and 'result' or 'error', payload,
       'finished_at', int(now), 'expires_at', int(now + ttl))
  call('ZADD', P .. 'retention', now + ttl, id)
  if email then
    return notify(job, id, after == 'succeeded' and 'result' or 'failure', email, wanted, now)
  end
  return false
end
