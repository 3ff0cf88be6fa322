#!lua
-- Accept jobs: record, queue, outbox, indexes, event and receipt, all or nothing. Asked twice for one id, or with one
-- idempotency key, it changes nothing; one key with another job refuses the whole call.
-- ARGV: prefix, 'on'|'off' (mail), 'quiet'|'' (whether to wake no worker), then for each job: id, key or '', fingerprint, queue, priority, due, deadline, operation,
-- tags (JSON or ''), e-mail addresses with spaces between, count, and so many fields and values of the record.
-- Returns for each job: '' stored, '!' refused, or the id of the job that has this key.
-- Shared: order, queue, notices, notify, accept.
local wanted, now, answers = ARGV[2], now_ms(), {}
local jobs, refused, i = {}, false, 4
wakes = ARGV[3] ~= 'quiet'
while i <= #ARGV do
  local id, key, answer = ARGV[i], ARGV[i + 1], ''
  if key ~= '' then
    local holder = call('GET', P .. 'key:' .. key)
    if holder then
      local space = string.find(holder, ' ', 1, true)
      local its_id = string.sub(holder, 1, space - 1)
      if string.sub(holder, space + 1) ~= ARGV[i + 2] then
        answer, refused = '!', true
      elseif its_id ~= id then
        answer = its_id
      end
    end
  end
  jobs[#jobs + 1] = i
  answers[#answers + 1] = answer
  i = i + 11 + tonumber(ARGV[i + 10])
end
if refused then return answers end
local seq = places(#jobs)
if #jobs > 1 then later = {} end
for n, at in ipairs(jobs) do
  local id = ARGV[at]
  if answers[n] == '' and call('EXISTS', P .. 'job:' .. id) == 0 then
    local fields = {unpack(ARGV, at + 11, at + 10 + tonumber(ARGV[at + 10]))}
    accept(id, ARGV[at + 3], ARGV[at + 4], ARGV[at + 5], ARGV[at + 6], ARGV[at + 7], ARGV[at + 8], ARGV[at + 9],
           wanted, ARGV[at + 1], ARGV[at + 2], fields, now, seq + n - 1)
  end
end
write_down()
return answers
