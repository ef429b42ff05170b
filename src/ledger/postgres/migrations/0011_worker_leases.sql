-- A worker's lease, which all its claims hang on: one row is renewed, whatever number of steps it holds.

CREATE TABLE agent_once.worker_leases (
  -- Made by a process once: names of processes repeat in containers.
  id uuid PRIMARY KEY,
  -- The claims that name the lease may be taken from it after this.
  deadline timestamptz NOT NULL,
  -- Claims that were: the worker finds out which when it sees another number.
  losses bigint NOT NULL DEFAULT 0,
  -- Executions that were cancelled while a claim of theirs hung on it: the last hundred.
  cancelled text[] NOT NULL DEFAULT '{}',
  -- When another worker last looked for what this one has left, and how often one did.
  missed_at timestamptz,
  missed smallint NOT NULL DEFAULT 0
);

ALTER TABLE agent_once.steps
  -- Of a claim that hangs on a worker's lease; lease_until is then when it is over in any case.
  ADD COLUMN lease uuid,
  -- Temporal's activity, in the execution that run_id names, that the claim is made in.
  ADD COLUMN activity_id text;

CREATE INDEX steps_lease ON agent_once.steps (lease, claimed_at) WHERE lease IS NOT NULL;

-- Until when a claim holds, as far as is known: its own limit, or the deadline of the lease it hangs on.
CREATE FUNCTION agent_once.held_until(own timestamptz, of_lease uuid)
RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN of_lease IS NULL THEN own ELSE least(own, coalesce(
    (SELECT deadline FROM agent_once.worker_leases WHERE id = of_lease), 'epoch')) END
$$;
