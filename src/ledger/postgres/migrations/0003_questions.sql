-- Outcome unknown is a state of its own, and people answer questions about steps.

ALTER TABLE agent_once.steps
  DROP CONSTRAINT steps_state_check,
  ADD CONSTRAINT steps_state_check
    CHECK (state IN ('planned', 'claimed', 'completed', 'failed', 'unknown')),
  -- How a result came to be known that no attempt of the step itself had.
  ADD COLUMN known_by text CHECK (known_by IN ('find', 'person', 'shadow')),
  -- Token of the step whose result this one took.
  ADD COLUMN shared_with text;

CREATE TABLE agent_once.questions (
  scope text NOT NULL,
  step text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('approval', 'outcome')),
  -- Counts the questions of one kind about a step.
  round integer NOT NULL,
  digest text NOT NULL,
  -- Of the attempt whose outcome is unknown.
  fence bigint,
  valid_ms double precision NOT NULL,
  workflow_id text NOT NULL,
  run_id text NOT NULL,
  asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  decision text,
  -- SHA-256 of the result that came with the decision: tells the same answer from another.
  result_digest text,
  decided_by text,
  comment text,
  decided_at timestamptz,

  PRIMARY KEY (scope, step, kind, round)
);
