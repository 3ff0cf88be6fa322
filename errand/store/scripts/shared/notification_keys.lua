-- Where notifications wait to be sent: one sorted set for each channel, by the time of the next attempt (ms). Mails
-- have kept their key of old. A webhook's member includes the host of its receiver, so that a script can pass over a
-- receiver.
local function notices_key(channel) return P .. (channel == 'mail' and 'notices' or 'notices:' .. channel) end

local function member_of(channel, name, id, to)
  local member = name .. '/' .. id
  if channel == 'mail' then return member end
  return member .. '/' .. string.lower(string.match(to, '^%a+://([^/?#]*)') or '')
end

local function home_of(name, id) return P .. (name == 'letter' and 'letter:' or 'job:') .. id end
