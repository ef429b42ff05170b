-- Cleaning: which scopes are old, which marks may be taken back, and whose runs a ledger holds.

-- The first step of a scope, which is deleted last: one entry a scope, the oldest first.
CREATE INDEX steps_oldest_scopes ON agent_once.steps (created_at, scope) WHERE step = 't1.model';

-- A mark that cleaning has set and may take back; a run that follows another makes it final.
ALTER TABLE agent_once.retired_scopes ADD COLUMN provisional boolean NOT NULL DEFAULT false;

-- Temporal namespaces whose runs have used this ledger. Only their server knows which of them it
-- still retains: a ledger of several is not cleaned.
CREATE TABLE agent_once.homes (
  id text PRIMARY KEY,
  name text NOT NULL,
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
