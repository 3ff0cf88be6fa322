local function is_unsubscribed(to) return call('ZSCORE', P .. 'unsubscribed', string.lower(to)) end

-- Give the time (ms) at which an address may have one more mail: now, if it had fewer than `hourly` of late, else so long
-- after the one before that no more come in an hour. It is this mail's, and the next one's is later. Returns nil, and takes
-- no turn, where it is after `latest`. One figure for each address, however many mails wait (GCRA): when it would be as if
-- it never had any.
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
  local most = 'This address gets ' .. int(hourly) .. (hourly == 1 and ' mail' or ' mails') .. ' an hour at most (MAIL_RATE)'
  return most .. (turn and '; this one waits for its turn.' or ', and so many wait for it that this one would come too late.')
end
