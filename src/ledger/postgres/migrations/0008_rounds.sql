-- A model request whose whole answer was read and is unusable is over: the next one is another round.

ALTER TABLE agent_once.steps
  -- The round of the next request: one after the last that was answered, by this step or by the one
  -- that it took its call over from.
  ADD COLUMN round integer NOT NULL DEFAULT 0,
  -- Whole answers to this step that were unusable. From the first of them on, input_tokens,
  -- output_tokens and cost_usd hold what they used, and a completion adds to that.
  ADD COLUMN unusable_answers integer NOT NULL DEFAULT 0;

ALTER TABLE agent_once.shares
  -- The round in which whoever takes the work over begins.
  ADD COLUMN round integer NOT NULL DEFAULT 0;

-- Tokens of answers together. Where some are not known, the sum is what is known.
CREATE FUNCTION agent_once.tokens_by_now(answers integer, before bigint, more bigint)
RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN answers = 0 THEN more ELSE coalesce(before, 0) + coalesce(more, 0) END
$$;

-- What answers cost together: null, which is not known, makes the sum unknown.
CREATE FUNCTION agent_once.cost_by_now(answers integer, before double precision, more double precision)
RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN answers = 0 THEN more ELSE round((before + more)::numeric, 9)::double precision END
$$;
