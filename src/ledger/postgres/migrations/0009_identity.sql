-- Who this ledger is: a run that has seen one ledger's records is told when it meets another one, or
-- this one as it was before.

CREATE TABLE agent_once.ledger (
  -- One row, always.
  one_row boolean PRIMARY KEY DEFAULT true CHECK (one_row),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  -- The ledgers that a person has said this one stands in for: older states of it, or lost ones.
  stands_in_for uuid[] NOT NULL DEFAULT '{}',
  -- When it was closed for good, since its runs have moved to a copy.
  closed_at timestamptz
);

INSERT INTO agent_once.ledger DEFAULT VALUES;

ALTER TABLE agent_once.steps
  -- The ledger as which this one last gave out a claim of the step, or asked about its outcome.
  ADD COLUMN ledger uuid;
