-- KEYS: the scope's index of steps, its questions, the shares it has taken. The steps' own keys are
-- in the same slot: what they begin with is an argument. Answers with the executions that worked in
-- the scope, workflow and run by turns; with nothing when something happened there lately.
local index, questions, shares = KEYS[1], KEYS[2], KEYS[3]
local prefix, older_ms = ARGV[1], tonumber(ARGV[2])
local newest, seen, executions = 0, {}, {}

local function happened(...)
  for i = 1, select('#', ...) do
    local time = tonumber((select(i, ...)) or nil)
    if time and time > newest then
      newest = time
    end
  end
end

local function worked(workflow_id, run_id)
  local name = cjson.encode({ workflow_id or '', run_id or '' })
  if not seen[name] then
    seen[name] = true
    table.insert(executions, workflow_id or '')
    table.insert(executions, run_id or '')
  end
end

for _, step in ipairs(redis.call('ZRANGE', index, 0, -1)) do
  local s = read(prefix .. step, 'created_at', 'claimed_at', 'ended_at', 'lease_until',
    'workflow_id', 'run_id')
  happened(s.created_at, s.claimed_at, s.ended_at, s.lease_until)
  worked(s.workflow_id, s.run_id)
end
for _, json in ipairs(redis.call('HVALS', questions)) do
  local q = cjson.decode(json)
  happened(q.asked_at, q.decided_at)
  worked(q.workflow_id, q.run_id)
end
happened(redis.call('ZRANGE', shares, -1, -1, 'WITHSCORES')[2])

if newest >= clock() - older_ms then
  return false
end
return executions
