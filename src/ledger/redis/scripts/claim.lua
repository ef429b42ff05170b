-- KEYS: the step, the scope's index of steps, the scope's mark of retirement.
local key, index, retired = KEYS[1], KEYS[2], KEYS[3]
local step, turn, kind, name, effect, digest = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local nonce, lease_ms, request = ARGV[7], tonumber(ARGV[8]), ARGV[9]
local workflow_id, run_id, worker = ARGV[10], ARGV[11], ARGV[12]
local maximum_attempts = tonumber(ARGV[13])

if redis.call('EXISTS', retired) == 1 then
  return { 'superseded' }
end

local now = clock()
local s = read(key, 'state', 'effect', 'digest', 'nonce', 'lease_until', 'worker', 'run_id', 'run_attempts')
local left = tonumber(s.lease_until or now) - now
local used = s.run_id == run_id and tonumber(s.run_attempts) or 0

if s.state and s.digest ~= digest then
  return { 'diverged' }
end
if s.state == 'completed' then
  return { 'completed', '0', redis.call('HGETALL', key) }
end
local same = s.state == 'claimed' and s.nonce == nonce
if not same then
  if s.state == 'claimed' and left > 0 then
    return { 'busy', stamp(left), { 'worker', s.worker } }
  end
  -- What counts is what the tool was when the attempt began, and what it is by now.
  local silent = s.state == 'claimed' and (s.effect == 'at-most-once' or effect == 'at-most-once')
  if silent then
    redis.call('HSET', key, 'state', 'unknown')
    redis.call('HINCRBY', key, 'unknown_attempts', 1)
  end
  if silent or s.state == 'unknown' then
    return { 'unknown', '0', redis.call('HGETALL', key) }
  end
  if used >= maximum_attempts then
    return { 'exhausted', '0', redis.call('HGETALL', key) }
  end

  if not s.state then
    redis.call('HSET', key, 'step', step, 'turn', turn, 'kind', kind, 'name', name,
      'digest', digest, 'unknown_attempts', 0, 'created_at', stamp(now))
    redis.call('ZADD', index, turn, step)
  elseif s.state == 'claimed' then
    redis.call('HINCRBY', key, 'unknown_attempts', 1)
  end
  redis.call('HINCRBY', key, 'fence', 1)
  redis.call('HINCRBY', key, 'attempts', 1)
  redis.call('HSET', key, 'run_attempts', used + 1, 'claimed_at', stamp(now))
  redis.call('HDEL', key, 'ended_at')
end

redis.call('HSET', key, 'state', 'claimed', 'nonce', nonce, 'lease_until', stamp(now + lease_ms),
  'workflow_id', workflow_id, 'run_id', run_id, 'worker', worker)
put(key, 'effect', effect)
if request ~= '' then
  redis.call('HSETNX', key, 'request', request)
end
return { 'claimed', '0', redis.call('HGETALL', key) }
