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
