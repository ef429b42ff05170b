const error = (exit: number, means: string) => ({ exit, means });

/**
 * Every error a user can meet: its stable code, the exit code of the command that meets it, and
 * what it means. `docs/errors.md` shows this table; the code is also the `type` of a Temporal
 * failure, so an alert can name it.
 */
export const ERRORS = {
  usage: error(2, 'The command line is wrong.'),
  'config.invalid': error(2, 'A setting in the environment has an unusable value.'),
  'key.invalid': error(2, 'An idempotency key must be 1 to 255 printable ASCII characters.'),
  'key.conflict': error(3, 'The key already names a run with another input.'),
  'name.invalid': error(2, 'Agent, tenant and tool names match [a-z][a-z0-9_]{0,31}.'),
  'input.invalid': error(2, 'The input is not JSON that can be fingerprinted (RFC 8785).'),
  'input.too_large': error(2, 'The input is over 1 MiB.'),
  'options.invalid': error(2, 'An option of the run is unknown or has an unusable value.'),
  'agent.unknown': error(2, 'No agent of this name is registered.'),
  'agent.invalid': error(2, 'An agent, a tool or an activity is defined wrongly.'),
  'port.in_use': error(2, 'Another process listens on a port that is needed.'),
  'run.not_shadow': error(4, 'A worker for shadow runs only was given a run that is none.'),
  'run.not_found': error(5, 'There is no run under this key.'),
  'run.expired': error(5, 'The key of the run has expired: it cannot be resumed.'),
  'run.request_unknown': error(
    5,
    'The request of the run is gone from Temporal: a resume has to bring it along.',
  ),
  'run.failed': error(4, 'The run failed for a reason without a code of its own.'),
  'run.cancelled': error(4, 'The run was cancelled.'),
  'run.terminated': error(
    4,
    'The run was terminated by an operator, or by the Temporal server at a limit.',
  ),
  'run.timed_out': error(4, 'The run hit its execution timeout.'),
  'run.turn_limit': error(4, 'The run used all its turns without a final answer.'),
  'run.still_running': error(7, 'The run had not ended at the deadline; it goes on.'),
  'run.waiting': error(8, 'The run waits for a person.'),
  'temporal.unreachable': error(6, 'No Temporal server answers at the address.'),
  'temporal.namespace_not_found': error(6, 'The Temporal namespace does not exist.'),
  'temporal.search_attributes_missing': error(
    6,
    'The namespace lacks the search attributes that runs carry.',
  ),
  'temporal.failed': error(6, 'Temporal refused a request for another reason.'),
  'temporal.limited': error(
    6,
    'Temporal limits the requests of the namespace, and refused some for too long.',
  ),
  'temporal.cli_missing': error(6, 'The Temporal CLI was not found and not installed.'),
  'ledger.unreachable': error(6, 'The ledger database does not answer.'),
  'ledger.invalid': error(6, 'The ledger database answers, but cannot be used.'),
  'ledger.restored': error(
    6,
    'The ledger lacks what the run has recorded: it was restored, or is another one.',
  ),
  'ledger.value_refused': error(4, 'A step has a value that the ledger cannot hold.'),
  'payload.unreadable': error(
    6,
    'Something is encrypted with a key that this process does not have.',
  ),
  'disk.failed': error(6, 'A file, or the output, cannot be written.'),
  'part.failed': error(6, 'A part of the local stack did not start or stopped.'),
  'model.unreachable': error(6, 'The model endpoint does not answer.'),
  'model.broken_off': error(
    4,
    'The connection to the model endpoint broke off in the middle of an answer.',
  ),
  'model.pending': error(4, 'The model endpoint still makes the answer, in the background.'),
  'model.response_lost': error(
    4,
    'The model endpoint no longer has an answer that it made in the background.',
  ),
  'model.timeout': error(4, 'The model endpoint did not answer in time.'),
  'model.rate_limited': error(4, 'The model endpoint asks to slow down.'),
  'model.quota_exhausted': error(4, 'The account at the model provider has no credit left.'),
  'model.unavailable': error(4, 'The model endpoint answered with a server error.'),
  'model.rejected': error(4, 'The model endpoint refused the request for good.'),
  'model.bad_answer': error(4, 'The model endpoint answered with something unreadable.'),
  'model.incomplete': error(
    4,
    'The model endpoint ended the answer before it was complete, for a reason of its own.',
  ),
  'model.answer_too_large': error(
    4,
    'What the model endpoint wants back with the next request is over 4 MiB.',
  ),
  'model.unknown_endpoint': error(
    4,
    'The worker does not know the model endpoint that the run asks.',
  ),
  'model.no_key': error(4, 'The worker has no key for the model endpoint.'),
  'model.truncated': error(4, 'The model stopped at its output limit, in the middle.'),
  'model.refused': error(4, 'The model or a content filter declined to answer.'),
  'output.too_large': error(4, 'The final answer is over 1 MiB.'),
  'output.invalid': error(4, 'The final answer does not fit the output that the agent declares.'),
  'tool.failed': error(4, 'A tool failed in every attempt it was given.'),
  'tool.unknown': error(4, 'The worker does not know the tool that a recorded turn asks for.'),
  'tool.result_invalid': error(4, 'A tool returned something that is not JSON.'),
  'tool.result_too_large': error(4, 'A tool returned more than 8 MiB.'),
  'step.outcome_unknown': error(
    4,
    'Nobody knows whether the effect of a step happened, and nobody said so in time.',
  ),
  'step.not_approved': error(4, 'Nobody approved a step in time, or a person ended it.'),
  'step.did_not_happen': error(4, 'A person said that the attempt had no effect.'),
  'step.late_effect': error(
    4,
    'An attempt that had been given up ended after all: its effect may have happened twice.',
  ),
  'decision.conflict': error(3, 'Somebody has already decided otherwise.'),
  'decision.not_asked': error(5, 'The run does not wait for a decision on this step.'),
  'decision.invalid': error(2, 'A decision is incomplete or does not fit the question.'),
  'step.busy': error(4, 'Another attempt of the step holds its claim.'),
  'step.claim_lost': error(4, 'Another attempt took the step over.'),
  'step.cancelled': error(4, 'A step was stopped because its run was cancelled.'),
  'step.interrupted': error(4, 'A step was stopped because its worker was.'),
  'step.superseded': error(
    4,
    'The run belongs to a key that has expired or was forgotten, and a newer run has it.',
  ),
  'step.diverged': error(4, 'The ledger holds another call under the same step.'),
  'step.attempts_exhausted': error(4, 'A step used all its attempts without a result.'),
  'step.timed_out': error(4, 'A step hit its time limit.'),
  'step.failed': error(4, 'A step failed for a reason without a code of its own.'),
  'worker.polling_failed': error(9, 'A worker could take no more work from Temporal, and ended.'),
  'worker.refused': error(
    10,
    'The ledger refused a worker for longer than its limit, and it ended.',
  ),
  'worker.stray_error': error(
    11,
    'Code in a worker threw where nothing awaited it, nobody knows in which step, and it exited.',
  ),
  internal: error(1, 'A defect of this program.'),
};

/** What an error is known by: the same in every version, in every language. docs/errors.md has all. */
export type ErrorCode = keyof typeof ERRORS;

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERRORS, value);
}

const ELSEWHERE: readonly unknown[] = ['tool.unknown', 'model.unknown_endpoint', 'model.no_key'];

/** Whether a worker lacks what another one may have: a tool, an endpoint, its key. */
export function isElsewhere(code: unknown): boolean {
  return ELSEWHERE.includes(code);
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
