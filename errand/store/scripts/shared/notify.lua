-- Stands on notices.lua. Record that somebody is to be told: `note` has at least `kind` and `to`, and its `name` is unlike that
-- of all other notes of its job. Returns true when its service has something to do now. A job that was run again may fail
-- again: its attempts to mail go on counting, as their number is what an overtaken attempt is refused by.
local function notify(key, id, channel, name, note, wanted, now)
  local field = 'note:' .. channel .. ':' .. name
  local former = call('HGET', key, field)
  note.channel, note.since = channel, now
  note.attempts = former and cjson.decode(former).attempts or 0
  note.state = wanted == 'on' and 'pending' or 'disabled'
  call('HSET', key, field, cjson.encode(note))
  if note.state ~= 'pending' then return false end
  call('ZADD', notices_key(channel), now, member_of(channel, name, id, note.to))
  return true
end

-- Whether anybody is to be told of this: a job may name what it tells, else it tells everything.
local function is_to_be_told(job, occasion)
  local named = call('HGET', job, 'notify')
  return not named or string.find(' ' .. named .. ' ', ' ' .. occasion .. ' ', 1, true)
end

-- Record that the owners of these addresses, with spaces between, are to be mailed. Each has a note of its own: `receipt` for
-- the first, then `receipt-2`, `receipt-3` and so on. Returns true when there is something to send now.
local function notify_addresses(job, id, kind, addresses, wanted, now)
  local count, due = 0, false
  for to in string.gmatch(addresses, '%S+') do
    count = count + 1
    local name = count == 1 and kind or kind .. '-' .. count
    due = notify(job, id, 'mail', name, {kind = kind, to = to}, wanted, now)
  end
  return due
end
