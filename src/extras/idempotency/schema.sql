-- One row per request that was made with a key. Each statement may run again.
CREATE SCHEMA IF NOT EXISTS agent_once_idempotency;

CREATE TABLE IF NOT EXISTS agent_once_idempotency.requests (
  tenant text NOT NULL,
  key text NOT NULL,
  method text NOT NULL,
  path text NOT NULL,
  -- SHA-256 of the query and the canonical body.
  fingerprint text NOT NULL,
  -- Written in the transaction of the request's own work: a row that others see has an answer.
  status integer,
  -- json, not jsonb: it is sent again as it was.
  headers json,
  -- Bytes: an answer may be no text, and text holds no NUL.
  body bytea,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant, key, method, path)
);

CREATE INDEX IF NOT EXISTS requests_by_age ON agent_once_idempotency.requests (created_at);

-- Headers and body as encrypted bytes, where there are keys: then the two columns above are empty. Looked
-- up first, since an ALTER waits for every transaction of the table, and others for it.
DO $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM pg_attribute
    WHERE attrelid = 'agent_once_idempotency.requests'::regclass AND attname = 'sealed'
  ) THEN
    ALTER TABLE agent_once_idempotency.requests ADD COLUMN sealed bytea;
  END IF;
END $$;

-- A handler that commits its transaction itself would leave a key without an answer. Checked at
-- the commit, which fails then: the handler's work is rolled back too.
CREATE OR REPLACE FUNCTION agent_once_idempotency.refuse_unanswered() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM agent_once_idempotency.requests
    WHERE tenant = NEW.tenant AND key = NEW.key AND method = NEW.method AND path = NEW.path
      AND status IS NULL
  ) THEN
    RAISE EXCEPTION 'The transaction of an idempotent request was committed before its answer was stored.'
      USING HINT = 'Do not send COMMIT on request.tx: the transaction ends when the handler has answered.';
  END IF;
  RETURN NULL;
END $$;

DO $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM pg_trigger
    WHERE tgrelid = 'agent_once_idempotency.requests'::regclass AND tgname = 'answered_at_commit'
  ) THEN
    CREATE CONSTRAINT TRIGGER answered_at_commit
      AFTER INSERT ON agent_once_idempotency.requests
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
      EXECUTE FUNCTION agent_once_idempotency.refuse_unanswered();
  END IF;
END $$;
