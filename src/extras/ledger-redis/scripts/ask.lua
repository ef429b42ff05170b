-- KEYS: the scope's questions, JSON by "step kind round".
local key = KEYS[1]
local step, kind, digest, fence = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local valid_ms, workflow_id, run_id = ARGV[5], ARGV[6], ARGV[7]
local now = clock()

local function id(round)
  return step .. ' ' .. kind .. ' ' .. round
end

local round, latest = 0, nil
local found = redis.call('HGET', key, id(1))
while found do
  round, latest = round + 1, found
  found = redis.call('HGET', key, id(round + 1))
end

if latest then
  local q = cjson.decode(latest)
  local stands = (q.digest == digest or (kind == 'approval' and q.result_digest == digest))
    and q.fence == fence
  if q.decision == 'approve' then
    stands = stands and tonumber(q.decided_at) + tonumber(q.valid_ms) >= now
  elseif q.decision == 'fail' then
    stands = stands and q.run_id == run_id
  end
  if stands and not q.decision and q.run_id ~= run_id then
    -- A resumed or reset run asks in its own name, with all the time to answer.
    q.workflow_id, q.run_id, q.asked_at = workflow_id, run_id, stamp(now)
    latest = cjson.encode(q)
    redis.call('HSET', key, id(round), latest)
  end
  if stands then
    return latest
  end
end

local asked = cjson.encode({
  step = step, kind = kind, round = tostring(round + 1), digest = digest, fence = fence,
  valid_ms = valid_ms, workflow_id = workflow_id, run_id = run_id, asked_at = stamp(now),
})
redis.call('HSET', key, id(round + 1), asked)
return asked
