-- KEYS: the scope's index of steps, its questions, the shares it has taken, its mark of retirement.
-- The first steps go last: a scope of which they are left is found again.
local index, questions, shares, retired = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local prefix, scope, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])

local mark = redis.call('GET', retired)
if not mark then
  return { 0, 0, 0, '0' }
end
if mark == 'provisional' then
  redis.call('SET', retired, stamp(clock()))
end

local removed_questions = redis.call('HLEN', questions)
redis.call('UNLINK', questions)

local removed_shares = 0
for _, share in ipairs(redis.call('ZRANGE', shares, 0, -1)) do
  -- Others may have taken it over since.
  if redis.call('HGET', share, 'scope') == scope then
    removed_shares = removed_shares + redis.call('UNLINK', share)
  end
end
redis.call('UNLINK', shares)

local bytes = 0
local steps = redis.call('ZREVRANGE', index, 0, limit - 1)
for _, step in ipairs(steps) do
  local key = prefix .. step
  bytes = bytes + redis.call('HSTRLEN', key, 'request') + redis.call('HSTRLEN', key, 'result')
    + redis.call('HSTRLEN', key, 'asked_request')
  redis.call('UNLINK', key)
  redis.call('ZREM', index, step)
end
return { #steps, removed_questions, removed_shares, tostring(bytes) }
