-- KEYS: the step, the scope's index of steps, then a key for each planned call.
local key, index = KEYS[1], KEYS[2]
local fence, result, bytes = ARGV[1], ARGV[2], ARGV[3]
local input_tokens, output_tokens, cost_usd = ARGV[4], ARGV[5], ARGV[6]
local known_by, shared_with = ARGV[7], ARGV[8]

local s = read(key, 'state', 'fence', 'known_by', 'settled', 'workflow_id', 'run_id', 'unusable_answers')
if s.fence ~= fence or s.known_by == 'person' then
  return 'lost'
end

if s.state == 'claimed' or s.state == 'unknown' then
  redis.call('HSET', key, 'state', 'completed', 'result', result, 'result_bytes', bytes,
    'ended_at', stamp(clock()))
  redis.call('HDEL', key, 'lease_until')
  use(key, tonumber(s.unusable_answers or 0), input_tokens, output_tokens, cost_usd)
  put(key, 'known_by', known_by)
  put(key, 'shared_with', shared_with)
  if s.state == 'unknown' then
    s.settled = '1'
    redis.call('HSET', key, 'settled', '1')
  end
elseif s.state ~= 'completed' then
  return 'lost'
end

local PER_CALL = 6
for i = 3, #KEYS do
  local at = 8 + (i - 3) * PER_CALL
  local step, turn, name = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local effect, digest, request = ARGV[at + 4], ARGV[at + 5], ARGV[at + 6]
  if redis.call('EXISTS', KEYS[i]) == 0 then
    redis.call('HSET', KEYS[i], 'step', step, 'turn', turn, 'kind', 'tool', 'name', name,
      'effect', effect, 'digest', digest, 'request', request, 'state', 'planned', 'fence', 0,
      'attempts', 0, 'run_attempts', 0, 'unknown_attempts', 0, 'workflow_id', s.workflow_id,
      'run_id', s.run_id, 'created_at', stamp(clock()))
    redis.call('ZADD', index, turn, step)
  end
end
return s.settled and 'settled' or 'recorded'
