-- KEYS: the step.
local key = KEYS[1]
local fence, asking, pending = ARGV[1], ARGV[2], ARGV[3]
local s = read(key, 'state', 'fence')
if s.fence ~= fence or s.state ~= 'claimed' then
  return 0
end
put_asking(key, asking, pending)
return 1
