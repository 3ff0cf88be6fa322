-- Record that somebody is to be told. Returns true when the mail service has something to do now. A job that was run again
-- may fail again: its attempts to tell go on counting, as their number is what an overtaken attempt is refused by.
local function notify(key, id, kind, to, wanted, now)
  local former = call('HGET', key, 'note:mail:' .. kind)
  local note = {channel = 'mail', to = to, kind = kind, since = now}
  note.attempts = former and cjson.decode(former).attempts or 0
  note.state = wanted == 'on' and 'pending' or 'disabled'
  call('HSET', key, 'note:mail:' .. kind, cjson.encode(note))
  if note.state == 'pending' then
    call('ZADD', P .. 'notices', now, kind .. '/' .. id)
    return true
  end
  return false
end
