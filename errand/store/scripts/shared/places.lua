-- Reserve `count` places in the order of all jobs; return the first. A place is the store's clock in microseconds,
-- and no two jobs share one, so that a page of the list can begin after any job.
local function places(count)
  local t = call('TIME')
  local first = t[1] * 1000000 + t[2]
  local last = tonumber(call('GET', P .. 'clock') or 0)
  if first <= last then first = last + 1 end
  call('SET', P .. 'clock', int(first + count - 1))
  return first
end
