-- KEYS: the scope's index of steps. The steps' own keys are in the same slot: what they begin with
-- is an argument. Answers with the time and each step's fields.
local index = KEYS[1]
local prefix, before = ARGV[1], ARGV[2]
local upper = before == '' and '+inf' or '(' .. before
local answer = { stamp(clock()) }
for _, step in ipairs(redis.call('ZRANGEBYSCORE', index, '-inf', upper)) do
  table.insert(answer, redis.call('HGETALL', prefix .. step))
end
return answer
