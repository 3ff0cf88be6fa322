#!lua
-- Accept jobs, all or nothing: record, queue, outbox, indexes, event and receipts. Called twice for one id, or with
-- one idempotency key, it changes nothing. If a key already belongs to another job, the whole call is refused.
-- ARGV: prefix, 'on'|'off' (mail), 'quiet'|'' (quiet: wake no worker), then the arguments of each job
-- (shared/read_job.lua).
-- Returns for each job: '' if stored, '!' if refused, or the id of the job that has its key.
-- Shared: places, queue, notification_keys, notify, read_job, accept.
local mail, now, answers = ARGV[2], now_ms(), {}
local jobs, refused, at = {}, false, 4
wakes = ARGV[3] ~= 'quiet'
while at <= #ARGV do
  local new, answer
  new, at = read_job(at)
  answer = ''
  if new.key ~= '' then
    local holder = call('GET', P .. 'key:' .. new.key)
    if holder then
      local space = string.find(holder, ' ', 1, true)
      local its_id = string.sub(holder, 1, space - 1)
      if string.sub(holder, space + 1) ~= new.fingerprint then
        answer, refused = '!', true
      elseif its_id ~= new.id then
        answer = its_id
      end
    end
  end
  jobs[#jobs + 1] = new
  answers[#answers + 1] = answer
end
if refused then return answers end
local seq = places(#jobs)
if #jobs > 1 then later = {} end
for n, new in ipairs(jobs) do
  if answers[n] == '' and call('EXISTS', P .. 'job:' .. new.id) == 0 then accept(new, mail, now, seq + n - 1) end
end
write_down()
return answers
