-- Whether no notification of a job is pending.
local function all_notified(id)
  local job = P .. 'job:' .. id
  for _, field in ipairs(call('HKEYS', job)) do
    if string.sub(field, 1, 5) == 'note:' and cjson.decode(call('HGET', job, field)).state == 'pending' then
      return false
    end
  end
  return true
end

-- Take a finished job out of all lists and free its key; its record stays until its notifications are sent.
local function unlist(id)
  local job = P .. 'job:' .. id
  local f = call('HMGET', job, 'status', 'operation', 'tags', 'key')
  call('ZREM', P .. 'jobs', id)
  if f[1] then call('ZREM', P .. 'jobs:' .. f[1], id) end
  if f[2] then call('ZREM', P .. 'operation:' .. f[2], id) end
  if f[3] then
    for _, tag in ipairs(cjson.decode(f[3])) do call('ZREM', P .. 'tag:' .. tag, id) end
  end
  if f[4] then
    local holder = call('GET', P .. 'key:' .. f[4])
    if holder and string.sub(holder, 1, #id) == id then call('DEL', P .. 'key:' .. f[4]) end
  end
end

-- Delete all that there is of a job.
local function delete(id)
  unlist(id)
  call('ZREM', P .. 'retention', id)
  call('DEL', P .. 'job:' .. id, P .. 'log:' .. id, P .. 'tracebacks:' .. id)
end
