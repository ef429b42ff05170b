import { invalid, type Problem } from '../../../src/extras/dev/scripted-model/dialect.ts';

/** As gateways refuse a body that differs from the first one under the same key. */
export function keyConflict(): Problem {
  return invalid('This Idempotency-Key was used with another request body.', {
    status: 409,
    type: 'idempotency_error',
    code: 'idempotency_key_conflict',
  });
}

/** Azure's, about what it was asked. */
export function promptFiltered(): object {
  const safe = { filtered: false, severity: 'safe' };
  return {
    error: {
      message:
        "The prompt was filtered by Azure OpenAI's content management policy. Change it and try again.",
      type: null,
      param: 'prompt',
      code: 'content_filter',
      status: 400,
      innererror: {
        code: 'ResponsibleAIPolicyViolation',
        content_filter_result: {
          hate: safe,
          self_harm: safe,
          sexual: safe,
          violence: { filtered: true, severity: 'medium' },
        },
      },
    },
  };
}

/** Groq's, about a call that it could not read. */
export function toolUseFailed(generation: string): object {
  return {
    error: {
      message: "Failed to call a function. See 'failed_generation' for more details.",
      type: 'invalid_request_error',
      code: 'tool_use_failed',
      failed_generation: generation,
    },
  };
}
