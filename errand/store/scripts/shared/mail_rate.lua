local function is_unsubscribed(to) return call('ZSCORE', P .. 'unsubscribed', string.lower(to)) end

-- Reserve the time (ms) at which an address may get one more mail: now, if it has had fewer than `hourly` of late;
-- else so long after the one before that no more come in an hour. The next mail's time is later. Returns nil, and
-- reserves nothing, if that time is after `latest`. One figure for each address, however many mails wait (GCRA): the
-- time from which it counts as never having had any.
local function take_turn(to, hourly, now, latest)
  local HOUR = 3600000
  local key, gap = P .. 'rate:' .. string.lower(to), HOUR / hourly
  local free = math.max(tonumber(call('GET', key) or 0), now) + gap
  local turn = math.max(now, math.ceil(free - HOUR))
  if turn > now and turn > latest then return nil end
  call('SET', key, string.format('%.3f', free), 'PX', int(math.ceil(free - now)))
  return turn
end

local function not_now(hourly, turn)
  local mails = int(hourly) .. (hourly == 1 and ' mail' or ' mails')
  local most = 'This address gets ' .. mails .. ' an hour at most (MAIL_RATE)'
  if turn then return most .. '; this one waits for its turn.' end
  return most .. ', and so many wait for it that this one would come too late.'
end
