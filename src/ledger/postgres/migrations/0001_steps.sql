-- The table of steps: who claimed one, how it ended, what it cost. Never changed once released.

CREATE TABLE agent_once.steps (
  scope text NOT NULL,
  step text NOT NULL,
  turn integer NOT NULL,
  kind text NOT NULL CHECK (kind IN ('model', 'tool')),
  name text NOT NULL,
  effect text CHECK (effect IN ('read', 'keyed', 'transactional', 'reconcile', 'at-most-once')),
  digest text NOT NULL,
  state text NOT NULL CHECK (state IN ('planned', 'claimed', 'completed', 'failed')),

  -- Counts claims, never Temporal's attempts: whoever took the step over has a higher one.
  fence bigint NOT NULL DEFAULT 0,
  -- The invocation that holds the claim: one whose answer was lost claims again with it.
  nonce uuid,
  lease_until timestamptz,
  -- What the latest claim was told: decided once, under the row's lock, and read back by RETURNING.
  answer text,

  attempts integer NOT NULL DEFAULT 0,
  -- Attempts of the execution `run_id` alone: a reset or a resume has all of its own before it.
  run_attempts integer NOT NULL DEFAULT 0,
  unknown_attempts integer NOT NULL DEFAULT 0,
  errors jsonb NOT NULL DEFAULT '[]',

  -- JSON text, gzip when large. Not jsonb: it refuses null characters and changes numbers.
  request bytea,
  result bytea,
  -- Before compression.
  result_bytes integer,
  input_tokens bigint,
  output_tokens bigint,
  cost_usd double precision,

  workflow_id text NOT NULL,
  run_id text NOT NULL,
  worker text,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  claimed_at timestamptz,
  ended_at timestamptz,

  PRIMARY KEY (scope, step)
) WITH (fillfactor = 80);

-- Large payloads are compressed already.
ALTER TABLE agent_once.steps
  ALTER COLUMN request SET STORAGE EXTERNAL,
  ALTER COLUMN result SET STORAGE EXTERNAL;
