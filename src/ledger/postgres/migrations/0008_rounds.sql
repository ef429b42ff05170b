-- A model request whose whole answer was read and is unusable is over: the next one is another round.

ALTER TABLE agent_once.steps
  -- Whole answers that were unusable. From the first of them on, input_tokens, output_tokens and
  -- cost_usd hold what they used, and a completion adds to that.
  ADD COLUMN round integer NOT NULL DEFAULT 0;

ALTER TABLE agent_once.shares
  -- The round in which whoever takes the work over begins.
  ADD COLUMN round integer NOT NULL DEFAULT 0;

-- What answers used together; null, which is not known, makes the sum unknown.
CREATE FUNCTION agent_once.used_by_now(round integer, before double precision, more double precision)
RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN round = 0 THEN more ELSE round((before + more)::numeric, 9)::double precision END
$$;
