-- KEYS: the share; the step and the mark of retirement of the scope that are taken for its owner's;
-- the shares that the asker's scope has taken.
-- The owner is in the share, and its keys must be named before it is read: a wrong guess is
-- answered with who it is.
local key, owner_step, owner_retired, taken = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local scope, step, window_ms, lease_ms = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local guessed_scope, guessed_step = ARGV[5], ARGV[6]
local now = clock()

local h = read(key, 'scope', 'step', 'first_scope', 'first_step', 'first_seen', 'lease_until', 'round')
local round = tonumber(h.round or 0)

-- The step that began it stays the first until a completed owner's result is too old.
local function take(first_seen, begin)
  round = begin and 0 or round
  local first_scope = begin and scope or h.first_scope
  local first_step = begin and step or h.first_step
  redis.call('HSET', key, 'scope', scope, 'step', step, 'first_seen', first_seen,
    'first_scope', first_scope, 'first_step', first_step, 'lease_until', stamp(now + lease_ms),
    'round', round)
  redis.call('ZADD', taken, now, key)
  return { 'mine', scope, step, first_scope, first_step, tostring(round) }
end

if not h.scope then
  return take(stamp(now), true)
end
if h.scope ~= guessed_scope or h.step ~= guessed_step then
  return { 'guess', h.scope, h.step }
end

local s = read(owner_step, 'state', 'lease_until', 'effect', 'round')
round = math.max(round, tonumber(s.round or 0))
if h.scope == scope and h.step == step then
  return take(h.first_seen, false)
end
local theirs = { 'theirs', h.scope, h.step, h.first_scope, h.first_step, tostring(round) }
if s.state == 'completed' then
  if window_ms > 0 and tonumber(h.first_seen) + window_ms > now then
    return theirs
  end
  return take(stamp(now), true)
end
if redis.call('EXISTS', owner_retired) == 1 then
  return take(stamp(now), false)
end
if s.state == 'unknown'
  or (s.state == 'claimed' and (tonumber(s.lease_until) > now or s.effect == 'at-most-once'))
  or (s.state == 'planned' and tonumber(h.lease_until) > now) then
  return theirs
end
return take(stamp(now), false)
