-- What several steps may share: the first to ask does the work, and the others take its result.

CREATE TABLE agent_once.shares (
  -- A hash of what is shared.
  name text PRIMARY KEY,
  -- The step that does the work, or did it.
  scope text NOT NULL,
  step text NOT NULL,
  -- The step that began it, also when others took it over since: its token is everybody's.
  first_scope text NOT NULL,
  first_step text NOT NULL,
  -- When the owner became it: windows count from here.
  first_seen timestamptz NOT NULL,
  -- For how long an owner that has not claimed its step is waited for.
  lease_until timestamptz NOT NULL,
  -- Counts changes: whoever takes a share over says which one it saw.
  version bigint NOT NULL DEFAULT 1
);

CREATE INDEX shares_scope ON agent_once.shares (scope);

-- Who took the result of a step: counted when somebody asks what a run's part of the cost is.
CREATE INDEX steps_shared_with ON agent_once.steps (shared_with) WHERE shared_with IS NOT NULL;
