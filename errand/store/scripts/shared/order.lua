-- The store's clock in microseconds, `count` of them that nobody was or will be given: they order all jobs, and a page of
-- the list can begin after any of them. Returns the first.
local function places(count)
  local t = call('TIME')
  local first = t[1] * 1000000 + t[2]
  local last = tonumber(call('GET', P .. 'clock') or 0)
  if first <= last then first = last + 1 end
  call('SET', P .. 'clock', int(first + count - 1))
  return first
end
