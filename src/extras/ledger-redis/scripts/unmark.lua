-- KEYS: the scope's mark of retirement.
if redis.call('GET', KEYS[1]) ~= 'provisional' then
  return 0
end
return redis.call('DEL', KEYS[1])
