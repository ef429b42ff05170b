/**
 * Every error a user can meet: its stable code, the exit code of the command that meets it, and
 * what it means. `docs/errors.md` shows this table; the code is also the `type` of a Temporal
 * failure, so an alert can name it.
 */
export const ERRORS = {
  usage: { exit: 2, means: 'The command line is wrong.' },
  'config.invalid': { exit: 2, means: 'A setting in the environment has an unusable value.' },
  'key.invalid': {
    exit: 2,
    means: 'An idempotency key must be 1 to 255 printable ASCII characters.',
  },
  'key.conflict': { exit: 3, means: 'The key already names a run with another input.' },
  'name.invalid': { exit: 2, means: 'Agent, tenant and tool names match [a-z][a-z0-9_]{0,31}.' },
  'input.invalid': {
    exit: 2,
    means: 'The input is not JSON that can be fingerprinted (RFC 8785).',
  },
  'input.too_large': { exit: 2, means: 'The input is over 1 MiB.' },
  'options.invalid': {
    exit: 2,
    means: 'An option of the run is unknown or has an unusable value.',
  },
  'agent.unknown': { exit: 2, means: 'No agent of this name is registered.' },
  'agent.invalid': { exit: 2, means: 'An agent or tool is defined wrongly.' },
  'port.in_use': { exit: 2, means: 'Another process listens on a port that is needed.' },
  'run.not_shadow': {
    exit: 4,
    means: 'A worker for shadow runs only was given a run that is none.',
  },
  'run.not_found': { exit: 5, means: 'There is no run under this key.' },
  'run.expired': { exit: 5, means: 'The key of the run has expired: it cannot be resumed.' },
  'run.request_unknown': {
    exit: 5,
    means: 'The request of the run is gone from Temporal: a resume has to bring it along.',
  },
  'run.failed': { exit: 4, means: 'The run failed for a reason without a code of its own.' },
  'run.cancelled': { exit: 4, means: 'The run was cancelled.' },
  'run.terminated': {
    exit: 4,
    means: 'The run was terminated by an operator, or by the Temporal server at a limit.',
  },
  'run.timed_out': { exit: 4, means: 'The run hit its execution timeout.' },
  'run.turn_limit': { exit: 4, means: 'The run used all its turns without a final answer.' },
  'run.still_running': { exit: 7, means: 'The run had not ended at the deadline; it goes on.' },
  'run.waiting': { exit: 8, means: 'The run waits for a person.' },
  'temporal.unreachable': { exit: 6, means: 'No Temporal server answers at the address.' },
  'temporal.namespace_not_found': { exit: 6, means: 'The Temporal namespace does not exist.' },
  'temporal.search_attributes_missing': {
    exit: 6,
    means: 'The namespace lacks the search attributes that runs carry.',
  },
  'temporal.failed': { exit: 6, means: 'Temporal refused a request for another reason.' },
  'temporal.limited': {
    exit: 6,
    means: 'Temporal limits the requests of the namespace, and refused some for too long.',
  },
  'temporal.cli_missing': { exit: 6, means: 'The Temporal CLI was not found and not installed.' },
  'ledger.unreachable': { exit: 6, means: 'The ledger database does not answer.' },
  'ledger.invalid': { exit: 6, means: 'The ledger database answers, but cannot be used.' },
  'ledger.restored': {
    exit: 6,
    means: 'The ledger lacks what the run has recorded: it was restored, or is another one.',
  },
  'ledger.value_refused': { exit: 4, means: 'A step has a value that the ledger cannot hold.' },
  'disk.failed': { exit: 6, means: 'A file, or the output, cannot be written.' },
  'part.failed': { exit: 6, means: 'A part of the local stack did not start or stopped.' },
  'model.unreachable': { exit: 6, means: 'The model endpoint does not answer.' },
  'model.broken_off': {
    exit: 4,
    means: 'The connection to the model endpoint broke off in the middle of an answer.',
  },
  'model.timeout': { exit: 4, means: 'The model endpoint did not answer in time.' },
  'model.rate_limited': { exit: 4, means: 'The model endpoint asks to slow down.' },
  'model.quota_exhausted': {
    exit: 4,
    means: 'The account at the model provider has no credit left.',
  },
  'model.unavailable': { exit: 4, means: 'The model endpoint answered with a server error.' },
  'model.rejected': { exit: 4, means: 'The model endpoint refused the request for good.' },
  'model.bad_answer': { exit: 4, means: 'The model endpoint answered with something unreadable.' },
  'model.incomplete': {
    exit: 4,
    means: 'The model endpoint ended the answer before it was complete, for a reason of its own.',
  },
  'model.answer_too_large': {
    exit: 4,
    means: 'What the model endpoint wants back with the next request is over 4 MiB.',
  },
  'model.truncated': { exit: 4, means: 'The model stopped at its output limit, in the middle.' },
  'model.refused': { exit: 4, means: 'The model or a content filter declined to answer.' },
  'output.too_large': { exit: 4, means: 'The final answer is over 1 MiB.' },
  'tool.failed': { exit: 4, means: 'A tool failed in every attempt it was given.' },
  'tool.unknown': {
    exit: 4,
    means: 'The worker does not know the tool that a recorded turn asks for.',
  },
  'tool.result_invalid': { exit: 4, means: 'A tool returned something that is not JSON.' },
  'tool.result_too_large': { exit: 4, means: 'A tool returned more than 8 MiB.' },
  'step.outcome_unknown': {
    exit: 4,
    means: 'Nobody knows whether the effect of a step happened, and nobody said so in time.',
  },
  'step.not_approved': { exit: 4, means: 'Nobody approved a step in time, or a person ended it.' },
  'step.did_not_happen': { exit: 4, means: 'A person said that the attempt had no effect.' },
  'step.late_effect': {
    exit: 4,
    means: 'An attempt that had been given up ended after all: its effect may have happened twice.',
  },
  'decision.conflict': { exit: 3, means: 'Somebody has already decided otherwise.' },
  'decision.not_asked': { exit: 5, means: 'The run does not wait for a decision on this step.' },
  'decision.invalid': { exit: 2, means: 'A decision is incomplete or does not fit the question.' },
  'step.busy': { exit: 4, means: 'Another attempt of the step holds its claim.' },
  'step.claim_lost': { exit: 4, means: 'Another attempt took the step over.' },
  'step.cancelled': { exit: 4, means: 'A step was stopped because its run was cancelled.' },
  'step.interrupted': { exit: 4, means: 'A step was stopped because its worker was.' },
  'step.superseded': {
    exit: 4,
    means: 'The run belongs to a key that has expired or was forgotten, and a newer run has it.',
  },
  'step.diverged': { exit: 4, means: 'The ledger holds another call under the same step.' },
  'step.attempts_exhausted': { exit: 4, means: 'A step used all its attempts without a result.' },
  'step.timed_out': { exit: 4, means: 'A step hit its time limit.' },
  'step.failed': { exit: 4, means: 'A step failed for a reason without a code of its own.' },
  'worker.polling_failed': {
    exit: 9,
    means: 'A worker could take no more work from Temporal, and ended.',
  },
  'worker.refused': {
    exit: 10,
    means: 'The ledger refused a worker for longer than its limit, and it ended.',
  },
  'worker.stray_error': {
    exit: 11,
    means:
      'Code in a worker threw where nothing awaited it, nobody knows in which step, and it exited.',
  },
  internal: { exit: 1, means: 'A defect of this program.' },
} as const satisfies Record<string, { exit: number; means: string }>;

/** What an error is known by: the same in every version, in every language. docs/errors.md has all. */
export type ErrorCode = keyof typeof ERRORS;

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERRORS, value);
}

/**
 * An error made for a person: what happened, what was kept, what to do next. Its message never
 * contains a secret or somebody else's payload.
 */
export class AgentOnceError extends Error {
  override readonly name = 'AgentOnceError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  /** Exit code of a command that ends with this error. */
  get exitCode(): number {
    return ERRORS[this.code].exit;
  }
}
