-- Lists for people: what waits in a tenant, the oldest first, and what was decided, the latest first.
-- The tenant is the one of the workflow ID. A statement uses these where it says that in the same words.

CREATE INDEX questions_open ON agent_once.questions
  (coalesce(substring(workflow_id from '^agent-([^.-]+)[.]'), 'default'), asked_at)
  WHERE decision IS NULL;

CREATE INDEX questions_decided ON agent_once.questions
  (coalesce(substring(workflow_id from '^agent-([^.-]+)[.]'), 'default'), decided_at)
  WHERE decision IS NOT NULL;
