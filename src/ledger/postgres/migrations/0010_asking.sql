-- A model step may have several endpoints to ask, one after the other, and a response may be made in
-- the background: what the next attempt must know, as JSON. With `pending` in it, a claim whose lease
-- is over is no unknown attempt: its response is found again.

ALTER TABLE agent_once.steps ADD COLUMN asking jsonb;
