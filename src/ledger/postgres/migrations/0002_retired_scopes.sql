-- Scopes that ended for good: their key has expired or was forgotten, and a newer run has it.

CREATE TABLE agent_once.retired_scopes (
  scope text PRIMARY KEY,
  retired_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
