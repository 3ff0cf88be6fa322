-- Put before every script. ARGV[1] is always the key prefix; @LEGAL@ is replaced by the table of errand/moves.py, a word a
-- move: nothing else may change a status. One text and not a Lua table, which would be built anew at every call. For the
-- same reason what only some scripts need stands in the files beside this one: a script names them in `-- Shared: …`.
local P = ARGV[1]
local LEGAL = '@LEGAL@'
local FINAL = ' succeeded failed cancelled '
local call = redis.call

local function int(n) return string.format('%d', n) end

-- One clock for all: the store's own, in whole milliseconds.
local function now_ms()
  local t = call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function is_final(status) return string.find(FINAL, ' ' .. status .. ' ', 1, true) end

local function tell(id, kind, data)
  call('XADD', P .. 'events', 'MAXLEN', '~', 20000, '*', 'id', id, 'event', kind, 'data', data)
end

-- What a script that makes many jobs puts into sorted sets goes in at its end, one command for each set: `later` is a table
-- then, key to {score, member, …}.
local later

local function zadd(key, score, member)
  if not later then
    call('ZADD', key, score, member)
    return
  end
  local rows = later[key]
  if not rows then
    rows = {}
    later[key] = rows
  end
  rows[#rows + 1] = score
  rows[#rows + 1] = member
end

local function add_what_is_left()
  for key, rows in pairs(later) do
    for i = 1, #rows, 2000 do call('ZADD', key, unpack(rows, i, math.min(i + 1999, #rows))) end
  end
  later = nil
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
  zadd(P .. 'jobs:' .. after, seq, id)
  tell(id, 'status', '{"id":"' .. id .. '","status":"' .. after .. '","attempt":' .. attempt .. '}')
end
