-- Read a new job from the arguments that begin at `at`, as `arguments_of` in errand/store/jobs.py writes them. `due`
-- and `deadline` are '' or ms, with '+' before them if they count from now. `tags` is JSON or ''. `emails` has
-- spaces between addresses. The other fields of its record, name, value, name, value ..., stay where they are in
-- ARGV, from `first_field` to `last_field`: copying them would cost time for each job.
-- Returns the job, and the index at which the next one begins.
local function read_job(at)
  local argv = ARGV
  local last = at + 10 + tonumber(argv[at + 10])
  return {
    id = argv[at], key = argv[at + 1], fingerprint = argv[at + 2], queue = argv[at + 3], priority = argv[at + 4],
    due = argv[at + 5], deadline = argv[at + 6], operation = argv[at + 7], tags = argv[at + 8], emails = argv[at + 9],
    first_field = at + 11, last_field = last,
  }, last + 1
end
