-- KEYS: the step.
if redis.call('EXISTS', KEYS[1]) == 1 then
  add_error(KEYS[1], ARGV[1])
end
return 1
