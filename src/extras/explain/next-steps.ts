import type { OpenQuestion } from '../../contract/decision.ts';
import { isShadow } from '../../contract/step.ts';
import type { ExplainedStep, Explanation } from './explanation.ts';
import { waysAfterFailure } from './after-failure.ts';
import { commandFor, START_A_WORKER, startCommandFor } from '../../cli/commands.ts';
import { lookUp } from './effect-words.ts';
import { named } from './name-steps.ts';
import { drawAnswerCommands, drawQuestion, drawUnseen } from '../../cli/show-questions.ts';
import { wouldRepeat } from './would-repeat.ts';

/**
 * What a person can do now, most likely first: items of one or more lines; commands to type begin
 * with `$`.
 */
export function nextSteps(explanation: Explanation): string[] {
  const { status, steps, error } = explanation;
  switch (status) {
    case 'completed':
      return afterSuccess(explanation);
    case 'failed':
    case 'cancelled': {
      if (isOver(explanation) && error?.code !== 'step.superseded') return [renewal(explanation)];
      const usage = explanation.usage ?? explanation.reportedUsage;
      const shadow = isShadow(explanation.scope) ? { shadow: [] } : {};
      const ways = waysAfterFailure({ ...explanation, usage, ...shadow }, explanation);
      return status === 'failed' ? ways : [meant(steps), ...ways];
    }
    case 'running':
      return whileRunning(explanation);
    case 'waiting':
      return whileWaiting(explanation);
    case 'forgotten':
      return [
        [
          'Nothing, unless it is wanted a second time: a start makes a NEW run.',
          ...wouldRepeat(explanation),
          `$ ${startCommandFor(explanation)}`,
        ].join('\n'),
      ];
  }
}

function afterSuccess(explanation: Explanation): string[] {
  const again = (explanation.steps ?? []).filter(({ repeats }) => repeats.length > 0);
  const left =
    again.length === 0
      ? 'Nothing is left to do'
      : [
          ...named('Made a second time by this run', again),
          'If that was not wanted: find both by their tokens where they were made, and undo one.',
          'Otherwise nothing is left to do',
        ].join('\n');
  return [
    isOver(explanation)
      ? `${left}. The key has expired: the next start under it makes a NEW run.`
      : `${left}: the same request under this key gets the stored result.`,
    `Print the result:\n$ ${commandFor('result', explanation)}`,
  ];
}

/** After the key's time to live. */
function renewal(explanation: Explanation): string {
  return [
    'The key has expired, so the run cannot be resumed: the next start under it makes a NEW run.',
    ...wouldRepeat(explanation),
  ].join('\n');
}

function meant(steps: readonly ExplainedStep[] | null): string {
  return ['If it was meant to be cancelled, nothing is left to do.', ...stays(steps)].join('\n');
}

function whileRunning(explanation: Explanation): string[] {
  const { live } = explanation;
  const paused = live?.pending.some(({ state }) => state === 'paused') === true;
  return [
    ...(live?.hasWorker === false ? [`No worker is polling. ${START_A_WORKER}`] : []),
    ...(paused ? ['A step is paused in Temporal: unpause it there, and it goes on.'] : []),
    `Wait for its end:\n$ ${commandFor('result', explanation, ['--wait'])}`,
    ...(live?.cancelRequested === true ? [] : [stop(explanation)]),
  ];
}

/** Each question, with what a person must know and the commands that answer it. */
function whileWaiting(explanation: Explanation): string[] {
  const { live, waiting, steps } = explanation;
  const worker =
    live?.hasWorker === false
      ? [`No worker is polling, and one has to take the answers. ${START_A_WORKER}`]
      : [];
  const questions = waiting.map((question) => {
    const token = steps?.find(({ id }) => id === question.step)?.token;
    return [
      ...drawQuestion(question).map((line) => line.trimStart()),
      ...(token === undefined ? [] : drawToken(question, token)),
      ...drawAnswerCommands(explanation, question),
    ].join('\n');
  });
  const unseen = drawUnseen(explanation, explanation.waitingMore).map((line) => line.trimStart());
  return [
    ...worker,
    ...questions,
    ...(unseen.length > 0 ? [unseen.join('\n')] : []),
    stop(explanation),
  ];
}

function drawToken({ kind, step }: OpenQuestion, token: string): string[] {
  return kind === 'approval' ? [`Its token: ${token}`] : lookUp(step, token);
}

function stop(explanation: Explanation): string {
  return [
    'Stop it; it can be resumed later.',
    ...stays(explanation.steps),
    `$ ${commandFor('cancel', explanation)}`,
  ].join('\n');
}

function stays(steps: readonly ExplainedStep[] | null): string[] {
  const of = (happened: ExplainedStep['happened']) =>
    (steps ?? []).filter((step) => step.happened === happened);
  return [...named('stays done', of('yes')), ...named('may have happened', of('maybe'))];
}

function isOver({ keyExpiresAt }: Explanation): boolean {
  return keyExpiresAt !== null && Date.parse(keyExpiresAt) <= Date.now();
}
