import type { RunRef, RunView } from '../client/types.ts';
import type { ErrorCode } from '../contract/errors.ts';
import { advise } from './commands.ts';

/** A run that failed or was cancelled. */
export type EndedRun = Required<RunRef> & Pick<RunView, 'error' | 'usage' | 'shadow'>;

/** How to go on with a run of which only the end is known: a line each. */
export function afterFailure(run: EndedRun): string[] {
  const code = run.error?.code;
  if (code === 'step.superseded') return advise('What has its key now:', 'explain', run);
  const mend = code === undefined ? undefined : MEND_FIRST[code];
  const again = run.shadow ? '' : ', which makes every effect again';
  return [
    ...advise('What happened, and what it cost:', 'explain', run),
    ...(mend === undefined ? [] : [mend]),
    ...advise('Resume it; what is recorded does not run again:', 'resume', run, moreTurns(run)),
    ...advise(`Not a retry: after this, a start makes a NEW run${again}:`, 'forget', run),
  ];
}

/** A higher limit of turns, where the run met the limit. */
export function moreTurns({ error, usage }: Pick<EndedRun, 'error' | 'usage'>): string[] {
  const turns = 2 * Math.max(1, usage?.turns ?? 1);
  return error?.code === 'run.turn_limit' ? [`--max-turns ${turns}`] : [];
}

/** What has to change before a failed run is worth resuming. */
export const MEND_FIRST: Partial<Record<ErrorCode, string>> = {
  'model.unreachable': 'Make sure that the model endpoint answers (OPENAI_BASE_URL).',
  'model.broken_off': 'Make sure that the way to the model endpoint holds for a whole answer.',
  'model.timeout': 'Make sure that the model endpoint answers in time.',
  'model.pending':
    'Have a worker: it asks for the same answer, for as long as the endpoint keeps it.',
  'model.unavailable': 'Wait until the model endpoint works again.',
  'model.rate_limited': 'Wait until the model endpoint takes requests again, or raise its limit.',
  'model.quota_exhausted':
    'Give the account at the model provider credit, or resume with another model (--model).',
  'model.rejected':
    'Correct what the endpoint refused: the API key, the name of the model; or resume with another model (--model).',
  'model.bad_answer': 'Look at what the model endpoint answers: its errors are below each step.',
  'model.incomplete': 'Find out from the model endpoint why it ends answers early.',
  'model.answer_too_large':
    'Resume with less thinking (--reasoning-effort), or with another model (--model).',
  'model.truncated':
    "Raise the agent's maxOutputTokens, or resume with more (--max-output-tokens).",
  'run.not_shadow': 'Stop the worker that was started with --shadow-only; start an ordinary one.',
  'tool.failed': 'Mend the tool that failed, or what it calls.',
  'tool.result_invalid': 'Mend the tool: it must return JSON.',
  'tool.result_too_large': 'Mend the tool: it must return less.',
  'tool.unknown': 'Deploy a worker that has the tool.',
  'agent.unknown': 'Deploy a worker that has the agent.',
  'step.diverged':
    'The ledger holds another call than this code makes. Deploy code that takes what is recorded, or point LEDGER_URL at the ledger of this run.',
  'step.timed_out': 'Make sure that a worker runs, and that what the step calls answers.',
  'step.outcome_unknown':
    'Find out whether it happened. The resumed run asks again, and waits for the answer.',
  'step.not_approved': 'The resumed run asks for approval again, and waits for the answer.',
  'run.terminated':
    'Find out why it was ended: ask the operator, or see to the limit that its error names.',
};
