import type { ErrorCode } from '../contract/errors.ts';
import type { Explanation } from '../explain/explanation.ts';
import { waysOn } from './after-failure.ts';
import { commandFor, startCommandFor } from './commands.ts';

/** What has to change before a failed run is worth resuming. */
const FIRST: Partial<Record<ErrorCode, string>> = {
  'model.unreachable': 'Make sure that the model endpoint answers (OPENAI_BASE_URL).',
  'model.timeout': 'Make sure that the model endpoint answers in time.',
  'model.unavailable': 'Wait until the model endpoint works again.',
  'model.rate_limited': 'Wait until the model endpoint takes requests again, or raise its limit.',
  'model.quota_exhausted': 'Give the account at the model provider credit.',
  'model.rejected': 'Correct what the endpoint refused: the API key, the name of the model.',
  'model.truncated': "Raise the agent's maxOutputTokens, or ask for less.",
  'tool.failed': 'Mend the tool that failed, or what it calls.',
  'tool.result_invalid': 'Mend the tool: it must return JSON.',
  'tool.result_too_large': 'Mend the tool: it must return less.',
  'tool.unknown': 'Deploy a worker that has the tool.',
  'agent.unknown': 'Deploy a worker that has the agent.',
  'step.timed_out': 'Make sure that a worker runs, and that what the step calls answers.',
  'run.terminated': 'An operator ended it: ask why before you resume it.',
};

/** What a person can do now, most likely first: sentences and commands to type. */
export function nextSteps(explanation: Explanation): string[] {
  const { status, keyExpiresAt } = explanation;
  const expired = keyExpiresAt !== null && Date.parse(keyExpiresAt) <= Date.now();
  switch (status) {
    case 'completed':
      return [
        expired
          ? 'Nothing is left to do. The key has expired: the next start under it makes a new run.'
          : 'Nothing is left to do: the same request under this key gets the stored result.',
        `Its result: ${commandFor('result', explanation)}`,
      ];
    case 'failed':
    case 'cancelled':
      return afterEnd(explanation, expired);
    case 'running':
      return whileRunning(explanation);
    case 'waiting':
      return ['It waits for a person to decide.', `Stop it: ${commandFor('cancel', explanation)}`];
    case 'forgotten':
      return [`A new run under this key: ${startCommandFor(explanation)}`];
  }
}

function afterEnd(explanation: Explanation, expired: boolean): string[] {
  const { error, usage, reportedUsage } = explanation;
  if (expired) return ['The key has expired: the next start under it makes a new run.'];
  if (error?.code === 'step.superseded') return ['Nothing: a newer run has the key.'];
  const first = error === null ? undefined : FIRST[error.code];
  const ways = waysOn({ ...explanation, usage: usage ?? reportedUsage });
  return [...(first === undefined ? [] : [first]), ...ways];
}

function whileRunning(explanation: Explanation): string[] {
  const { live } = explanation;
  const paused = live?.pending.some(({ state }) => state === 'paused') === true;
  return [
    ...(live?.hasWorker === false ? ['Start a worker: agent-once worker'] : []),
    ...(paused ? ['A step is paused in Temporal: unpause it there, and it goes on.'] : []),
    `Wait for its end: ${commandFor('result', explanation, ' --wait')}`,
    ...(live?.cancelRequested === true ? [] : [`Stop it: ${commandFor('cancel', explanation)}`]),
  ];
}
