-- KEYS: the step.
local key = KEYS[1]
local fence, error, counted = ARGV[1], ARGV[2], ARGV[3] == '1'
local answered, input_tokens, output_tokens, cost_usd = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local asking, pending, once = ARGV[8], ARGV[9], ARGV[10] == '1'
local s = read(key, 'state', 'fence', 'run_attempts', 'round', 'unusable_answers')
if s.fence ~= fence then
  return 0
end
if s.state == 'failed' then
  return 1
end
if s.state ~= 'claimed' and s.state ~= 'unknown' then
  return 0
end
if not (once and has_last(key, error)) then
  add_error(key, error)
end
redis.call('HSET', key, 'state', 'failed', 'ended_at', stamp(clock()))
redis.call('HDEL', key, 'lease_until')
put_asking(key, asking, pending)
if not counted then
  redis.call('HSET', key, 'run_attempts', math.max(tonumber(s.run_attempts) - 1, 0))
end
-- A whole answer was read: the next request is one round further.
if answered ~= '' then
  use(key, tonumber(s.unusable_answers or 0), input_tokens, output_tokens, cost_usd)
  redis.call('HINCRBY', key, 'unusable_answers', 1)
  redis.call('HSET', key, 'round', math.max(tonumber(s.round or 0), tonumber(answered)) + 1)
end
return 1
