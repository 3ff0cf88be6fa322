-- Needs notification_keys.lua. Record a notification: `note` has at least `kind` and `to`, and `name` is unique
-- among the notifications of its job. Returns true if its service has something to send now.
local function notify(key, id, channel, name, note, wanted, now)
  local field = 'note:' .. channel .. ':' .. name
  note.channel, note.since, note.attempts = channel, now, 0
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

-- Record a mail to each of these addresses, which have spaces between them. Each has a note of its own: `failure` for
-- the first, then `failure-2`, `failure-3` and so on. In a job's second run (`run` is '1', in the first '') they are
-- called `failure1`, `failure1-2` and so on. `ending` is how that run ended, or nil. Returns true if there is something
-- to send now.
local function notify_addresses(job, id, kind, run, ending, addresses, wanted, now)
  local count, due = 0, false
  for to in string.gmatch(addresses, '%S+') do
    count = count + 1
    local name = count == 1 and kind .. run or kind .. run .. '-' .. count
    due = notify(job, id, 'mail', name, {kind = kind, to = to, ending = ending}, wanted, now)
  end
  return due
end
