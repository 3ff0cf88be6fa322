-- Needs finish.lua. Whether a job is in the state that a client has `seen`: `state` of errand/record.py. '' fits any.
local function is_as_seen(f, seen)
  return seen == '' or seen == f.status .. ' ' .. f.fence .. ' ' .. (f.retries or '0')
end
