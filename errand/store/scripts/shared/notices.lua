-- Where notifications wait to be sent: a sorted set for each channel, by the time of the next attempt (ms). Mails keep the
-- key they always had. A webhook's member names its receiver too, so that a script can tell whom to leave alone.
local function notices_key(channel) return P .. (channel == 'mail' and 'notices' or 'notices:' .. channel) end

local function member_of(channel, name, id, to)
  local member = name .. '/' .. id
  if channel == 'mail' then return member end
  return member .. '/' .. string.lower(string.match(to, '^%a+://([^/?#]*)') or '')
end

local function home_of(name, id) return P .. (name == 'letter' and 'letter:' or 'job:') .. id end
