-- The history of a job: the field `attempts` of its record has a line of JSON for each attempt that ended, oldest
-- first. A job that succeeds at its first attempt has no such field, as its record says all of it. Tracebacks, which
-- only operators may see, have a key of their own.
local MOST_BYTES, MOST_TRACEBACKS = 32768, 10

local function json_text(text) return text and cjson.encode(text) or 'null' end

-- Add the attempt that a running job ends with. `failure` is JSON of its error, or nil. `traceback` is a text or '',
-- kept for `kept` ms; only the last ten are kept.
local function add_attempt(id, f, outcome, failure, now, traceback, kept)
  local job, key = P .. 'job:' .. id, P .. 'tracebacks:' .. id
  local row = call('HMGET', job, 'attempts', 'worker')
  local lines = '{"number":' .. f.attempt .. ',"outcome":"' .. outcome .. '","started_at":' .. (f.started_at or 'null')
    .. ',"ended_at":' .. int(now) .. ',"worker":' .. json_text(row[2])
    .. ',"error":' .. (failure and string.gsub(failure, '[\r\n]', ' ') or 'null') .. '}'
  if row[1] then lines = row[1] .. '\n' .. lines end
  while #lines > MOST_BYTES do
    local first_end = string.find(lines, '\n', 1, true)
    if not first_end then break end
    lines = string.sub(lines, first_end + 1)
  end
  call('HSET', job, 'attempts', lines)
  if traceback ~= '' then
    call('HSET', key, f.attempt, traceback)
    call('HDEL', key, int(f.attempt - MOST_TRACEBACKS))
    call('PEXPIRE', key, int(kept))
  end
end

-- The numbers of the attempts of a job that ended with `outcome`; nil: with any.
local function attempts_with(id, outcome)
  local numbers = {}
  local lines = call('HGET', P .. 'job:' .. id, 'attempts') or ''
  for number, each in string.gmatch(lines, '{"number":(%d+),"outcome":"([%a_]+)"') do
    if not outcome or each == outcome then numbers[#numbers + 1] = tonumber(number) end
  end
  return numbers
end
