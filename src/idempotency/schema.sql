-- One row per request that was made with a key. Each statement may run again.
CREATE SCHEMA IF NOT EXISTS agent_once_idempotency;

CREATE TABLE IF NOT EXISTS agent_once_idempotency.requests (
  tenant text NOT NULL,
  key text NOT NULL,
  method text NOT NULL,
  path text NOT NULL,
  -- SHA-256 of the canonical body.
  fingerprint text NOT NULL,
  -- Written in the transaction of the request's own work: a row that others see has an answer.
  status integer,
  -- json, not jsonb: it is sent again as it was.
  headers json,
  body text,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant, key, method, path)
);

CREATE INDEX IF NOT EXISTS requests_by_age ON agent_once_idempotency.requests (created_at);
