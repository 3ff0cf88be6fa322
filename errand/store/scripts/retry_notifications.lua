#!lua flags=allow-oom
-- Send the failed notifications of a job again: they are pending as if they were new. Those about an end that the
-- job no longer has stay as they are, unless that end was stored with them: the job was run again since.
-- Pending ones that wait for their next attempt are due at once, unless one is being sent just now, or waits because
-- its address has had its share of this hour.
-- ARGV: prefix, 'on'|'off' (mail), id.
-- Returns {done|refused|unknown, status, services that have something to send now}.
-- Shared: places, queue, notification_keys, notify, finish.
local wanted, id, now = ARGV[2], ARGV[3], now_ms()
local job = P .. 'job:' .. id
local f = facts(id)
if not f.status or f.deleted then return {'unknown', '', ''} end

-- A webhook tells of every end that was stored with it. A mail about an end that is over would only mislead.
local function still_so(channel, name, note)
  if note.kind == 'receipt' or (channel == 'webhook' and note.ending) then return true end
  if note.kind ~= NOTE_OF[f.status] then return false end
  local run = note.ending and note.ending.run or string.match(name, channel == 'mail' and '^%a+(%d+)' or '%d+$')
  if not run and channel == 'mail' then return true end  -- of an earlier release, which kept only the latest
  return (tonumber(run) or 0) == tonumber(f.retries or 0)
end

-- Whether no worker has it in hand: its last attempt was settled, or none was made yet.
local function waits(note)
  return note.attempts == (note.settled or 0) and (note.slot or 0) <= now
end

local retried, again = {}, false
local function make_due(channel, name, note)
  call('ZADD', notices_key(channel), now, member_of(channel, name, id, note.to))
  retried[channel == 'mail' and 'mail ' or 'webhooks '] = true
end

for _, field in ipairs(call('HKEYS', job)) do
  local channel, name = string.match(field, '^note:(%a+):(.+)$')
  local note = channel and cjson.decode(call('HGET', job, field))
  if note and note.state == 'failed' and still_so(channel, name, note) then
    again = true
    note.state = (channel == 'webhook' or wanted == 'on') and 'pending' or 'disabled'
    note.since, note.slot = now, nil
    call('HSET', job, field, cjson.encode(note))
    if note.state == 'pending' then make_due(channel, name, note) end
  elseif note and note.state == 'pending' and waits(note) then
    again = true
    make_due(channel, name, note)
  end
end
local services = (retried['mail '] and 'mail ' or '') .. (retried['webhooks '] and 'webhooks ' or '')
return {again and 'done' or 'refused', f.status, services}
