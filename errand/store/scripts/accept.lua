#!lua
-- Accept jobs: record, queue, outbox, indexes, event and receipts. Called twice for one id, or with one idempotency
-- key, it changes nothing. A job whose key belongs to another job is refused; then `together` refuses all of them,
-- and `each` only that one: the jobs come from different clients. `unhandled` is like `together` for replays, and passes
-- over those whose origin has been replayed meanwhile, or runs again.
-- ARGV: prefix, 'on'|'off' (mail), 'quiet'|'' (quiet: wake no worker), 'together'|'each'|'unhandled', then the arguments
-- of each job (shared/read_job.lua).
-- Returns for each job: '' if stored, '!' if refused, '-' if passed over, or the id of the job that has its key.
-- Shared: places, queue, notification_keys, notify, handled, read_job, accept.
local mail, now, answers = ARGV[2], now_ms(), {}
local jobs, at = {}, 5
wakes = ARGV[3] ~= 'quiet'

local function answer_for(new)
  local holder = new.key ~= '' and call('GET', P .. 'key:' .. new.key)
  if not holder then return '' end
  local space = string.find(holder, ' ', 1, true)
  local its_id = string.sub(holder, 1, space - 1)
  if string.sub(holder, space + 1) ~= new.fingerprint then return '!' end
  return its_id == new.id and '' or its_id
end

local function may_be_replayed(origin)
  local f = call('HMGET', P .. 'job:' .. origin, 'status', 'handled', 'retries', 'deleted')
  return f[1] and is_final(f[1]) and not f[4] and not is_handled(f[2], f[3])
end

local refused = false
while at <= #ARGV do
  local new
  new, at = read_job(at)
  jobs[#jobs + 1] = new
  refused = refused or (ARGV[4] ~= 'each' and answer_for(new) == '!')
end
if refused then
  for n = 1, #jobs do answers[n] = '!' end
  return answers
end
local seq = places(#jobs)
if #jobs > 1 then later = {} end
for n, new in ipairs(jobs) do
  answers[n] = answer_for(new) -- asked here again: a job before it may have its key by now
  if answers[n] == '' and call('EXISTS', P .. 'job:' .. new.id) == 0 then
    if ARGV[4] == 'unhandled' and not may_be_replayed(ARGV[new.first_field + 1]) then
      answers[n] = '-'
    else
      accept(new, mail, now, seq + n - 1)
    end
  end
end
write_down()
return answers
