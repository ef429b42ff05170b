-- KEYS: the scope's questions, the step.
local key, step_key = KEYS[1], KEYS[2]
local step, round, decision, kinds = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local result_digest, by, comment = ARGV[5], ARGV[6], ARGV[7]
local result, bytes, error = ARGV[8], ARGV[9], ARGV[10]
-- The call with the arguments that it is approved with; empty: as it is.
local edited_digest, edited_request = ARGV[11], ARGV[12]

-- The question that was asked last about the step, or in this round, and takes such an answer.
local field, q
local all = redis.call('HGETALL', key)
for i = 1, #all, 2 do
  local each = cjson.decode(all[i + 1])
  if each.step == step and (round == '' or each.round == round)
    and string.find(kinds, each.kind, 1, true) then
    local later = not q or tonumber(each.asked_at) > tonumber(q.asked_at)
      or (each.asked_at == q.asked_at and tonumber(each.round) > tonumber(q.round))
    if later then
      field, q = all[i], each
    end
  end
end
if not q then
  return { 'none' }
end

if edited_digest == q.digest then
  edited_digest = ''
elseif edited_digest ~= '' then
  result_digest = edited_digest
end
if q.decision then
  local same = q.decision == decision and (q.result_digest or '') == result_digest
  return { same and 'repeated' or 'conflict', cjson.encode(q) }
end

local now = stamp(clock())
if q.kind == 'outcome' then
  local s = read(step_key, 'state', 'fence')
  if s.state ~= 'unknown' or s.fence ~= q.fence then
    return { 'settled', cjson.encode(q) }
  end
  if decision == 'happened' then
    redis.call('HSET', step_key, 'state', 'completed', 'known_by', 'person', 'result', result,
      'result_bytes', bytes, 'ended_at', now)
    redis.call('HDEL', step_key, 'lease_until')
  elseif decision == 'did-not-happen' then
    add_error(step_key, error)
    redis.call('HSET', step_key, 'state', 'failed', 'run_attempts', 0, 'ended_at', now)
    redis.call('HDEL', step_key, 'lease_until')
  end
end

if edited_digest ~= '' then
  -- Only a step of which no attempt was begun. One that gets back what was asked for is as it was.
  local s = read(step_key, 'state', 'attempts', 'digest', 'request', 'asked_digest')
  if s.state ~= 'planned' or s.attempts ~= '0' or s.digest ~= q.digest then
    return { 'begun' }
  end
  if s.asked_digest == edited_digest then
    redis.call('HDEL', step_key, 'asked_digest', 'asked_request')
  elseif not s.asked_digest then
    redis.call('HSET', step_key, 'asked_digest', s.digest, 'asked_request', s.request)
  end
  redis.call('HSET', step_key, 'digest', edited_digest, 'request', edited_request)
end

q.decision, q.decided_by, q.decided_at = decision, by, now
if result_digest ~= '' then
  q.result_digest = result_digest
end
if comment ~= '' then
  q.comment = comment
end
redis.call('HSET', key, field, cjson.encode(q))
return { 'recorded', cjson.encode(q) }
