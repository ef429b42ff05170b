-- KEYS: the step. The error is kept once, also where somebody has found the lease over meanwhile.
local key = KEYS[1]
local fence, error = ARGV[1], ARGV[2]
local s = read(key, 'state', 'fence', 'ended_at')
if s.fence ~= fence or (s.state ~= 'claimed' and s.state ~= 'unknown') then
  return 0
end
if not s.ended_at then
  add_error(key, error)
  redis.call('HSET', key, 'ended_at', stamp(clock()))
end
if s.state == 'claimed' then
  redis.call('HINCRBY', key, 'unknown_attempts', 1)
end
redis.call('HSET', key, 'state', 'unknown')
redis.call('HDEL', key, 'lease_until')
return 1
