-- KEYS: the step, the scope's index of steps, the scope's mark of retirement, who the ledger is, the
-- model step of the turn before.
local key, index, retired, ledger, before = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local step, turn, kind, name, effect, digest = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local nonce, lease_ms, request = ARGV[7], tonumber(ARGV[8]), ARGV[9]
local workflow_id, run_id, worker = ARGV[10], ARGV[11], ARGV[12]
local maximum_attempts = tonumber(ARGV[13])
-- What the run has seen; empty: nothing of the kind. `new_id`: an identity for a ledger that has none.
local seen, has_row, seen_fence, before_digest = ARGV[14], ARGV[15], ARGV[16], ARGV[17]
local new_id, lost_error, is_done = ARGV[18], ARGV[19], ARGV[20]

if redis.call('EXISTS', retired) == 1 then
  return { 'superseded' }
end

local here = identify(ledger, new_id)
local same, accepted = knows(here, seen)
if seen == '' and (has_row ~= '' or is_done ~= '' or before_digest ~= '') then
  -- A run of an earlier version knows no ledger.
  accepted = here.stands_in_for ~= nil
end
if here.closed_at then
  return { 'restored', 'claims', {}, here.id }
end
if seen ~= '' and not same and not accepted then
  return { 'restored', 'all', {}, here.id }
end

local now = clock()
local s = read(key, 'state', 'effect', 'digest', 'nonce', 'lease_until', 'worker', 'run_id',
  'run_attempts', 'fence', 'ledger', 'pending')
if before_digest ~= '' then
  local b = read(before, 'state', 'digest')
  if b.state ~= 'completed' then
    return { accepted and 'accepted' or 'restored', 'records', {}, here.id }
  end
  if b.digest ~= before_digest then
    return { 'diverged' }
  end
end
local lacks_row = has_row ~= '' and not s.state
local lacks_end = is_done ~= '' and s.state ~= 'completed' and not accepted
local lacks_claim = seen_fence ~= '' and not accepted
  and tonumber(s.fence or 0) < tonumber(seen_fence)
if lacks_row or lacks_end or lacks_claim then
  return { accepted and 'accepted' or 'restored', 'records', {}, here.id }
end
-- What was seen in a ledger that this one stands in for may have been done and lost, unless this one
-- has spoken about it since.
local doubted = accepted and (has_row ~= '' or is_done ~= '' or seen_fence ~= '')
  and s.ledger ~= here.id
-- A lost attempt had a fence of its own, which nobody else may have: not even its question.
local lost_fence = tonumber(seen_fence) or 0
local fence = math.max(tonumber(s.fence) or 0, lost_fence)

local left = tonumber(s.lease_until or now) - now
local used = s.run_id == run_id and tonumber(s.run_attempts) or 0

if s.state and s.digest ~= digest then
  return { 'diverged' }
end
if s.state == 'completed' then
  return { 'completed', '0', redis.call('HGETALL', key), here.id }
end
local same = s.state == 'claimed' and s.nonce == nonce
if not same then
  if s.state == 'claimed' and left > 0 then
    return { 'busy', stamp(left), { 'worker', s.worker } }
  end
  -- What counts is what the tool was when the attempt began, and what it is by now.
  local once = s.effect == 'at-most-once' or effect == 'at-most-once'
  local silent = (s.state == 'claimed' or (doubted and s.state)) and s.state ~= 'unknown' and once
  if silent then
    redis.call('HSET', key, 'state', 'unknown')
    redis.call('HINCRBY', key, 'unknown_attempts', 1)
    if doubted then
      local own = tonumber(s.fence) or 0
      own = s.state == 'claimed' and own or own + 1
      redis.call('HINCRBY', key, 'attempts', 1)
      redis.call('HSET', key, 'ended_at', stamp(now), 'fence', string.format('%.0f', math.max(own, lost_fence)))
      add_error(key, lost_error)
    end
  end
  if silent or s.state == 'unknown' then
    redis.call('HSET', key, 'ledger', here.id)
    return { 'unknown', '0', redis.call('HGETALL', key) }
  end
  if used >= maximum_attempts then
    return { 'exhausted', '0', redis.call('HGETALL', key) }
  end

  if not s.state then
    redis.call('HSET', key, 'step', step, 'turn', turn, 'kind', kind, 'name', name,
      'digest', digest, 'unknown_attempts', 0, 'created_at', stamp(now))
    redis.call('ZADD', index, turn, step)
  end
  -- A response that is pending is found again.
  if (s.state == 'claimed' and not s.pending) or doubted then
    redis.call('HINCRBY', key, 'unknown_attempts', 1)
  end
  if doubted then
    redis.call('HINCRBY', key, 'attempts', 1)
    add_error(key, lost_error)
  end
  redis.call('HSET', key, 'fence', string.format('%.0f', fence + 1))
  redis.call('HINCRBY', key, 'attempts', 1)
  redis.call('HSET', key, 'run_attempts', used + 1, 'claimed_at', stamp(now))
  redis.call('HDEL', key, 'ended_at')
end

redis.call('HSET', key, 'state', 'claimed', 'nonce', nonce, 'lease_until', stamp(now + lease_ms),
  'workflow_id', workflow_id, 'run_id', run_id, 'worker', worker, 'ledger', here.id)
put(key, 'effect', effect)
if request ~= '' then
  redis.call('HSETNX', key, 'request', request)
end
return { 'claimed', '0', redis.call('HGETALL', key), here.id }
