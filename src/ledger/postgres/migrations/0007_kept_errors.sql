-- The last ten errors of a step, and every report of an effect that came late: those are proof.

CREATE FUNCTION agent_once.kept_errors(errors jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(jsonb_agg(entry.error ORDER BY entry.place), '[]')
  FROM jsonb_array_elements(errors) WITH ORDINALITY AS entry (error, place)
  WHERE entry.place > jsonb_array_length(errors) - 10
     OR entry.error ->> 'code' = 'step.late_effect'
$$;
