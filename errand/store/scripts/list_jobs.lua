-- Read a page of jobs in the order of their creation. ARGV: prefix, status or '', operation or '', tag or '', which
-- jobs come first ('oldest' or 'newest'), first and last place as Redis writes bounds, limit, maximum number of jobs
-- to look at, bytes after which a page is full, 'unhandled' to leave out jobs that have been replayed, or '', then the
-- names of the wanted fields.
-- Returns {place after which to continue or '', {id, value, ...}, ...}.
-- Shared: handled.
local status, operation, tag = ARGV[2], ARGV[3], ARGV[4]
local limit, most, room = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local unhandled, fields = ARGV[11] == 'unhandled', {unpack(ARGV, 12)}
-- the shortest index that has all of them
local list, shortest = P .. 'jobs', nil
for _, each in ipairs({{'jobs:', status}, {'operation:', operation}, {'tag:', tag}}) do
  if each[2] ~= '' then
    local size = call('ZCARD', P .. each[1] .. each[2])
    if not shortest or size < shortest then list, shortest = P .. each[1] .. each[2], size end
  end
end
local function has_tag(tags)
  for _, each in ipairs(tags and cjson.decode(tags) or {}) do
    if each == tag then return true end
  end
  return false
end
local function fits(id)
  local f = call('HMGET', P .. 'job:' .. id, 'status', 'operation', 'tags', 'handled', 'retries')
  return f[1] and (status == '' or f[1] == status) and (operation == '' or f[2] == operation)
    and (tag == '' or has_tag(f[3])) and not (unhandled and is_handled(f[4], f[5]))
end
local walk = ARGV[5] == 'oldest' and 'ZRANGEBYSCORE' or 'ZREVRANGEBYSCORE'
local rows = call(walk, list, ARGV[6], ARGV[7], 'WITHSCORES', 'LIMIT', 0, most)
local page, last = {''}, ''
for i = 1, #rows, 2 do
  if #page - 1 == limit or room <= 0 then
    page[1] = last
    return page
  end
  if fits(rows[i]) then
    local row = call('HMGET', P .. 'job:' .. rows[i], unpack(fields))
    for n = 1, #fields do
      row[n] = row[n] or ''
      room = room - #row[n]
    end
    table.insert(row, 1, rows[i])
    page[#page + 1] = row
  end
  last = int(rows[i + 1])
end
if #rows == 2 * most then page[1] = last end
return page
