#!lua flags=allow-oom
-- Claim notifications of a channel that are due. The number of the attempt is the fence: an older attempt can't
-- settle the notification any more. Receivers that have reached their share are passed over. Mails to an address
-- that has unsubscribed end here; mails to an address that has had its share of this hour wait for their turn.
-- ARGV: prefix, channel, lease in ms, maximum number, bytes of the longest field to return or '', share of one
-- receiver or '', mails per address and hour (0: no limit), ms after which a mail is given up, ms to keep a letter
-- that has ended, then receiver, how many of its notifications are being sent ...
-- Returns {1 or 0 (whether more may be due), {name, id, attempt, since, age in ms, receiver, note, {field, value,
-- ...} of the record}, ...}.
-- Shared: notification_keys, mail_rate.
local WINDOW, STEPS, PASSED_OVER_MS = 2000, 200, 1000
local channel, lease, most, longest, share = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local hourly, give_up, kept = tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9]
local key, now, due, taken, passed_over, at_hand = notices_key(channel), now_ms(), {}, {}, {}, {}
for i = 10, #ARGV, 2 do at_hand[ARGV[i]] = tonumber(ARGV[i + 1]) end

-- Fields that are too long to send don't leave the store; 'omitted' names them.
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

-- Let a mail go now (true), wait for its turn, or end.
local function may_go(member, name, home, field, note)
  if channel ~= 'mail' then return true end
  if is_unsubscribed(note.to) then
    note.state, note.last_error = 'unsubscribed', nil
  elseif note.slot or hourly == 0 then
    return true
  else
    local slot = take_turn(note.to, hourly, now, note.since + give_up)
    if slot and slot <= now then
      note.slot = now
      return true
    end
    note.slot, note.last_error = slot, not_now(hourly, slot)
    if not slot then note.state = 'failed' end
  end
  call('HSET', home, field, cjson.encode(note))
  if note.state == 'pending' then
    call('ZADD', key, note.slot, member)
  else
    call('ZREM', key, member)
    if name == 'letter' then call('PEXPIRE', home, kept) end
  end
  return false
end

local function claim(member, name, id, receiver)
  local home, field = home_of(name, id), 'note:' .. channel .. ':' .. name
  local text = call('HGET', home, field)
  local note = text and cjson.decode(text)
  if not note or note.state ~= 'pending' then
    call('ZREM', key, member)
    return
  end
  if not may_go(member, name, home, field, note) then return end
  note.attempts = note.attempts + 1
  text = cjson.encode(note)
  call('HSET', home, field, text)
  call('ZADD', key, now + tonumber(lease), member)
  at_hand[receiver], taken[member] = (at_hand[receiver] or 0) + 1, true
  due[#due + 1] = {name, id, note.attempts, int(note.since), int(now - note.since), receiver, text, record(home)}
end

local looked, members, wanted = 0, nil, nil
repeat
  wanted = share and WINDOW or most - #due
  members = call('ZRANGEBYSCORE', key, '-inf', now, 'LIMIT', 0, wanted)
  looked = looked + #members
  for _, member in ipairs(members) do
    if #due == most then break end
    local name, id, receiver = string.match(member, '^([%w-]+)/([^/]+)/?(.*)$')
    if share and (at_hand[receiver] or 0) >= share then
      passed_over[#passed_over + 1] = member
    elseif not taken[member] then
      claim(member, name, id, receiver)
    end
  end
until share or #due == most or #members < wanted or looked >= STEPS
-- So many wait for one receiver that others may wait behind them: these are postponed, so that the others are found.
if share and #members == WINDOW and #due < most then
  for _, member in ipairs(passed_over) do call('ZADD', key, now + PASSED_OVER_MS, member) end
end
table.insert(due, 1, not share and #due < most and #members == wanted and 1 or 0)
return due
