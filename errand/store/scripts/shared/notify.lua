-- Needs notification_keys.lua. Record a notification: `note` has at least `kind` and `to`, and `name` is unique
-- among the notifications of its job. Returns true if its service has something to send now. A job that is run again
-- may fail again: attempts go on counting, because their number is the fence that refuses an overtaken attempt.
local function notify(key, id, channel, name, note, wanted, now)
  local field = 'note:' .. channel .. ':' .. name
  local text = call('HGET', key, field)
  local former = text and cjson.decode(text) or {}
  note.channel, note.since = channel, now
  note.attempts, note.settled = former.attempts or 0, former.settled
  note.state = wanted == 'on' and 'pending' or 'disabled'
  call('HSET', key, field, cjson.encode(note))
  if note.state ~= 'pending' then return false end
  call('ZADD', notices_key(channel), now, member_of(channel, name, id, note.to))
  return true
end

-- Whether a job sends notifications on this occasion: a job may name its occasions; else it sends on all of them.
local function sends_on(job, occasion)
  local named = call('HGET', job, 'notify')
  return not named or string.find(' ' .. named .. ' ', ' ' .. occasion .. ' ', 1, true)
end

-- Record a mail to each of these addresses, which have spaces between them. Each has a note of its own: `receipt`
-- for the first, then `receipt-2`, `receipt-3` and so on. Returns true if there is something to send now.
local function notify_addresses(job, id, kind, addresses, wanted, now)
  local count, due = 0, false
  for to in string.gmatch(addresses, '%S+') do
    count = count + 1
    local name = count == 1 and kind or kind .. '-' .. count
    due = notify(job, id, 'mail', name, {kind = kind, to = to}, wanted, now)
  end
  return due
end
