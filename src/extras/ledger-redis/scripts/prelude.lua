-- Before every script. Times are the server's, in milliseconds since 1970; in hashes as text.

local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + time[2] / 1000
end

local function stamp(ms)
  return string.format('%.3f', ms)
end

-- Fields of a hash by name; nil where there is none.
local function read(key, ...)
  local names = { ... }
  local values = redis.call('HMGET', key, ...)
  local row = {}
  for i, name in ipairs(names) do
    row[name] = values[i] or nil
  end
  return row
end

-- Sets a field, or leaves it out: an empty argument stands for none.
local function put(key, name, value)
  if value ~= '' then
    redis.call('HSET', key, name, value)
  end
end

-- What a model step's next attempt must know, and whether a response is pending in it.
local function put_asking(key, asking, pending)
  put(key, 'asking', asking)
  if asking ~= '' and pending == '' then
    redis.call('HDEL', key, 'pending')
  end
  put(key, 'pending', pending)
end

-- Keeps the last ten errors, and every report of an effect that came late: those are proof.
local function add_error(key, error)
  local errors = cjson.decode(redis.call('HGET', key, 'errors') or '[]')
  table.insert(errors, cjson.decode(error))
  local oldest = 1
  while #errors - oldest >= 10 do
    if errors[oldest].code == 'step.late_effect' then
      oldest = oldest + 1
    else
      table.remove(errors, oldest)
    end
  end
  redis.call('HSET', key, 'errors', cjson.encode(errors))
end

-- Whether the last error has the code of this one.
local function has_last(key, error)
  local errors = cjson.decode(redis.call('HGET', key, 'errors') or '[]')
  return #errors > 0 and errors[#errors].code == cjson.decode(error).code
end

-- Adds what an answer used to what unusable ones before it did; before the first there is nothing to
-- add to. An empty argument is not known.
local function use_tokens(key, name, answers, value)
  if answers == 0 then
    put(key, name, value)
    return
  end
  local had = redis.call('HGET', key, name) or 0
  redis.call('HSET', key, name, string.format('%.0f', had + (tonumber(value) or 0)))
end

-- A cost that is not known makes the sum unknown.
local function use_cost(key, answers, value)
  if answers == 0 then
    put(key, 'cost_usd', value)
    return
  end
  local had = redis.call('HGET', key, 'cost_usd')
  if had and value ~= '' then
    redis.call('HSET', key, 'cost_usd', string.format('%.9f', had + value))
  else
    redis.call('HDEL', key, 'cost_usd')
  end
end

local function use(key, answers, input_tokens, output_tokens, cost_usd)
  use_tokens(key, 'input_tokens', answers, input_tokens)
  use_tokens(key, 'output_tokens', answers, output_tokens)
  use_cost(key, answers, cost_usd)
end

-- Who the ledger is; one that has no identity gets the new one.
local function identify(key, new_id)
  redis.call('HSETNX', key, 'id', new_id)
  return read(key, 'id', 'stands_in_for', 'closed_at')
end

-- Whether an identity is the ledger's own, and whether it is one that the ledger stands in for.
local function knows(here, id)
  local accepted = id ~= '' and string.find(here.stands_in_for or '', id, 1, true) ~= nil
  return id == here.id, accepted
end
