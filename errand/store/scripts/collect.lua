#!lua flags=allow-oom
-- Claim notifications of a channel that are due. The number of the attempt is the fence: an older attempt can't settle any
-- more. Receivers that have as many at hand as they may are passed over.
-- ARGV: prefix, channel, lease in ms, most, bytes of the longest field that is wanted or '', most at hand for one receiver
-- or '', then receiver, how many are at hand …
-- Returns {{name, id, attempt, since, age in ms, receiver, note, {field, value, …} of the record}, …}.
-- Shared: notices.
local WINDOW, PASSED_OVER_MS = 2000, 1000
local channel, lease, most, longest, share = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local key, now, due, passed_over, at_hand = notices_key(channel), now_ms(), {}, {}, {}
for i = 7, #ARGV, 2 do at_hand[ARGV[i]] = tonumber(ARGV[i + 1]) end

-- A record may have megabytes that nobody is sent: they don't leave the store, and 'omitted' names them.
local function record(home)
  local left_out = {}
  for _, field in ipairs(longest and {'arguments', 'result'} or {}) do
    if call('HSTRLEN', home, field) > longest then left_out[#left_out + 1] = field end
  end
  if #left_out == 0 then return call('HGETALL', home) end
  local fields = {'omitted', cjson.encode(left_out)}
  for _, field in ipairs(call('HKEYS', home)) do
    if field ~= left_out[1] and field ~= left_out[2] then
      fields[#fields + 1] = field
      fields[#fields + 1] = call('HGET', home, field)
    end
  end
  return fields
end

local function claim(member, name, id, receiver)
  local home, field = home_of(name, id), 'note:' .. channel .. ':' .. name
  local text = call('HGET', home, field)
  local note = text and cjson.decode(text)
  if not note or note.state ~= 'pending' then
    call('ZREM', key, member)
    return
  end
  note.attempts = note.attempts + 1
  text = cjson.encode(note)
  call('HSET', home, field, text)
  call('ZADD', key, now + tonumber(lease), member)
  at_hand[receiver] = (at_hand[receiver] or 0) + 1
  due[#due + 1] = {name, id, note.attempts, int(note.since), int(now - note.since), receiver, text, record(home)}
end

local members = call('ZRANGEBYSCORE', key, '-inf', now, 'LIMIT', 0, share and WINDOW or most)
for _, member in ipairs(members) do
  if #due == most then break end
  local name, id, receiver = string.match(member, '^([%w-]+)/([^/]+)/?(.*)$')
  if share and (at_hand[receiver] or 0) >= share then
    passed_over[#passed_over + 1] = member
  else
    claim(member, name, id, receiver)
  end
end
-- So many wait for one receiver that others may stand behind them: they let those pass.
if #members == WINDOW and #due < most then
  for _, member in ipairs(passed_over) do call('ZADD', key, now + PASSED_OVER_MS, member) end
end
return due
