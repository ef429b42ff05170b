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

-- Adds to what a step's answers used. Before the first round is over there is nothing to add to; an
-- empty argument is not known, and makes the sum unknown.
local function use(key, name, round, value, form)
  local had = round > 0 and redis.call('HGET', key, name)
  if round == 0 then
    put(key, name, value)
  elseif had and value ~= '' then
    redis.call('HSET', key, name, string.format(form, had + value))
  else
    redis.call('HDEL', key, name)
  end
end

local function use_all(key, round, input_tokens, output_tokens, cost_usd)
  use(key, 'input_tokens', round, input_tokens, '%.0f')
  use(key, 'output_tokens', round, output_tokens, '%.0f')
  use(key, 'cost_usd', round, cost_usd, '%.9f')
end
