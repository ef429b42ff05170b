-- A person may approve a call with other arguments. The step then has those, and what was asked for is
-- kept beside them; of the question, result_digest is the digest of the call that was approved.

ALTER TABLE agent_once.steps
  -- Of a call whose arguments a person changed: those that the model asked for. A worker of an earlier
  -- version claims the step with their digest, and is told that it diverged.
  ADD COLUMN asked_digest text,
  ADD COLUMN asked_request bytea,
  ALTER COLUMN asked_request SET STORAGE EXTERNAL;
