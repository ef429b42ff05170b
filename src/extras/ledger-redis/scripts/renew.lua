-- KEYS: the step.
local key = KEYS[1]
local fence, lease_ms = ARGV[1], tonumber(ARGV[2])
local s = read(key, 'state', 'fence', 'known_by')
if s.fence ~= fence then
  return 0
end
if s.state == 'claimed' then
  redis.call('HSET', key, 'lease_until', stamp(clock() + lease_ms))
  return 1
end
-- A person has had the last word about this attempt.
return s.state == 'completed' and s.known_by ~= 'person' and 1 or 0
