-- KEYS: who the ledger is. ARGV: what to do, an identity that nobody has, the identity of a lost
-- ledger that this one is to stand in for or nothing.
local key, action, new_id, lost = KEYS[1], ARGV[1], ARGV[2], ARGV[3]

local here = identify(key, new_id)
if action == 'accept' then
  local known = here.stands_in_for or ''
  for _, id in ipairs({ here.id, lost }) do
    if id ~= '' and not string.find(known, id, 1, true) then
      known = known == '' and id or known .. ' ' .. id
    end
  end
  redis.call('HSET', key, 'id', new_id, 'stands_in_for', known)
  redis.call('HDEL', key, 'closed_at')
elseif action == 'shut' then
  redis.call('HSETNX', key, 'closed_at', stamp(clock()))
elseif action == 'reopen' then
  redis.call('HDEL', key, 'closed_at')
end
return redis.call('HGETALL', key)
