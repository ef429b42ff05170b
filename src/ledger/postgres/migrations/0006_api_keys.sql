-- Keys of those who call the HTTP service: their hashes alone.

CREATE TABLE agent_once.api_keys (
  -- The beginning of the key, by which it is looked up.
  prefix text PRIMARY KEY,
  -- SHA-256 of the whole key.
  hash bytea NOT NULL,
  tenant text NOT NULL,
  scopes text[] NOT NULL,
  name text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  revoked_at timestamptz
);
