-- Put before every script. ARGV[1] is always the key prefix. @LEGAL@ is replaced by the table of errand/moves.py,
-- one word for each move: no other code may change a status. It is one text and not a Lua table, which would be
-- built again at every call. For the same reason, code that only some scripts need is in the other files of this
-- folder: a script names them in `-- Shared: ...`.
local P = ARGV[1]
local LEGAL = '@LEGAL@'
local FINAL = ' succeeded failed cancelled '
local call = redis.call

-- A whole number as text. Most are needed several times, and finding them here is faster than formatting them again.
local texts = {}
local function int(n)
  local text = texts[n]
  if not text then
    text = string.format('%d', n)
    texts[n] = text
  end
  return text
end

-- The store's own clock, which all processes go by, in whole milliseconds.
local function now_ms()
  local t = call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function is_final(status) return string.find(FINAL, ' ' .. status .. ' ', 1, true) end

local function tell(id, kind, data)
  call('XADD', P .. 'events', 'MAXLEN', '~', '20000', '*', 'id', id, 'event', kind, 'data', data)
end

-- A script that changes several jobs sets `later = {}`. From then on, changes of sorted sets and of totals are
-- collected, and `write_down()` at its end makes them with one command for each key instead of one for each job.
-- Such a script must not read meanwhile what it has collected. `later` maps a key to {member = score, or false to
-- remove it}.
local later
local counted = {}

local function gather(key, member, score)
  local rows = later[key]
  if not rows then
    rows = {}
    later[key] = rows
  end
  rows[member] = score
end

local function zadd(key, score, member)
  if later then gather(key, member, score) else call('ZADD', key, score, member) end
end

local function zrem(key, member)
  if later then gather(key, member, false) else call('ZREM', key, member) end
end

local function tally(what, by)
  if later then counted[what] = (counted[what] or 0) + by else call('HINCRBY', P .. 'totals', what, by) end
end

local function in_pieces(command, key, words)
  for i = 1, #words, 2000 do call(command, key, unpack(words, i, math.min(i + 1999, #words))) end
end

local function write_down()
  if not later then return end
  for key, rows in pairs(later) do
    local come, gone = {}, {}
    for member, score in pairs(rows) do
      if score then
        come[#come + 1] = score
        come[#come + 1] = member
      else
        gone[#gone + 1] = member
      end
    end
    in_pieces('ZADD', key, come)
    in_pieces('ZREM', key, gone)
  end
  later = nil
  for what, by in pairs(counted) do tally(what, by) end
  counted = {}
end

-- Change a job's status and its place in the indexes, and write the event. `...` are further fields of its record,
-- names and values. `before` is '' for a new job, whose record the caller writes.
-- The caller has read `before` in this same script; an illegal move is a bug and stops the whole script.
local function move(id, before, after, seq, attempt, ...)
  if not string.find(LEGAL, ' ' .. before .. '>' .. after .. ' ', 1, true) then
    error('illegal move of ' .. id .. ' from "' .. before .. '" to ' .. after)
  end
  if before ~= '' then
    zrem(P .. 'jobs:' .. before, id)
    call('HSET', P .. 'job:' .. id, 'status', after, ...)
  end
  zadd(P .. 'jobs:' .. after, seq, id)
  tell(id, 'status', '{"id":"' .. id .. '","status":"' .. after .. '","attempt":' .. attempt .. '}')
end
