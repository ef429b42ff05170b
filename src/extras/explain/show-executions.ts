import { isServer } from '../../client/outcome.ts';
import type { EarlierRun, ExplainedExecution, PublicExplanation } from './explanation.ts';
import { listSteps } from './list-steps.ts';
import type { coloursOf } from '../../cli/output.ts';
import { printable } from '../../cli/output.ts';
import { drawClock, drawCost, drawDuration, drawTime } from '../../cli/show-run.ts';

type Colours = ReturnType<typeof coloursOf>;

/** All executions under the key, oldest first, each in lines of its own. */
export function drawExecutions(
  colours: Colours,
  { executions, scope, steps, status }: PublicExplanation,
): string[][] {
  return executions.map((execution, at) => {
    const { runId, startedAt, startedBy, stopped } = execution;
    // The last one's is at the top.
    const error = at === executions.length - 1 ? null : execution.error;
    const own = execution.scope === scope || execution.scope === null;
    const done = (steps ?? []).filter(
      // What a person settled, perhaps long after, no execution did.
      ({ state, knownBy, executedIn }) =>
        state === 'completed' && knownBy !== 'person' && executedIn === runId,
    ).length;
    const facts = [
      `${at + 1}. ${whyStarted(execution, executions)}, ${howEnded(execution, status)}`,
      startedAt &&
        `started ${drawTime(startedAt)}${startedBy ? ` by ${printable(startedBy)}` : ''}`,
      own || execution.intent === 'forgotten'
        ? done > 0 && `${count(done, 'step')} done`
        : 'of an earlier run',
    ].filter((fact) => typeof fact === 'string');
    return [
      facts.join(' · '),
      `     ${colours.dim(`execution id ${runId}`)}`,
      ...(error
        ? [`     ended with: ${drawError({ ...error, message: causeOf(error.message) })}`]
        : []),
      ...(stopped && error ? [`     ${drawStop(execution)}`] : []),
    ];
  });
}

/** An error without the word that says it is one. */
export function drawError({ message, code }: { message: string; code: string }): string {
  return `${printable(message).replace(/^Error: /, '')} (${code})`;
}

/** A message without what it advises, which no longer applies when another execution has followed. */
function causeOf(message: string): string {
  return message
    .split(/\.\s+(?=[A-Z])/, 1)
    .join()
    .replace(/\.$/, '');
}

/** Who asked an execution to stop, and when. */
export function drawStop({ stopped }: ExplainedExecution): string {
  if (!stopped) return '';
  const how = stopped.how === 'cancel' ? 'asked to stop' : 'terminated';
  const who = isServer(stopped.by) ? 'the Temporal server' : stopped.by;
  const by = who === null ? '' : ` by ${printable(who)}`;
  const at = stopped.at === null ? '' : ` at ${drawClock(stopped.at)}`;
  return `${how}${by}${at}${stopped.reason === null ? '' : `: ${printable(stopped.reason)}`}`;
}

/** Runs that had the key before: what they did, and cost; each in lines of its own. */
export function drawEarlier({ earlierRuns, executions }: PublicExplanation): string[][] {
  return (earlierRuns ?? []).map((run) => drawRunBefore(run, executions));
}

function drawRunBefore(
  { executions: own, status, steps, usage }: EarlierRun,
  executions: readonly ExplainedExecution[],
): string[] {
  const numbers = executions.flatMap(({ runId }, at) => (own.includes(runId) ? [at + 1] : []));
  const which = `execution${numbers.length > 1 ? 's' : ''} ${numbers.join(', ')}`;
  const done = steps.filter(({ happened }) => happened === 'yes');
  const maybe = steps.filter(({ happened }) => happened === 'maybe');
  return [
    `${which}: ${status} · ${count(steps.length, 'step')} · ${drawCost(usage.costUsd)}`,
    ...(done.length > 0 ? [`  effects that it made: ${listSteps(done)}`] : []),
    ...(maybe.length > 0 ? [`  effects that may have happened: ${listSteps(maybe)}`] : []),
  ];
}

function whyStarted(
  { intent, predecessor, resumedWith }: ExplainedExecution,
  executions: readonly ExplainedExecution[],
): string {
  const before = executions.findIndex(({ runId }) => runId === predecessor);
  switch (intent) {
    case 'new': {
      if (predecessor === null) return 'new';
      const forgotten = executions[before]?.intent === 'forgotten';
      return forgotten ? 'new, the key was forgotten' : 'new, the key had expired';
    }
    case 'resume':
      return `${before === -1 ? 'resumed' : `resume of ${before + 1}`}${drawLimits(resumedWith)}`;
    case 'continued':
      return 'continued as new, its history was long';
    case 'reset':
      return before === -1 ? 'reset in Temporal' : `reset of ${before + 1} in Temporal`;
    case 'forgotten':
      return 'the key was forgotten';
    case null:
      return 'an earlier execution';
  }
}

function drawLimits(limits: ExplainedExecution['resumedWith'] = {}): string {
  const { model, reasoningEffort, maxOutputTokens, maxTurns, priority } = limits;
  const set = [
    model !== undefined && `model ${printable(model)}`,
    reasoningEffort !== undefined && `reasoning effort ${printable(reasoningEffort)}`,
    maxOutputTokens !== undefined && `${count(maxOutputTokens, 'output token')} at most`,
    maxTurns !== undefined && `${count(maxTurns, 'turn')} at most`,
    priority !== undefined && `priority ${priority}`,
  ].filter((limit) => limit !== false);
  return set.length === 0 ? '' : ` with ${set.join(', ')}`;
}

function howEnded(
  { status, startedAt, closedAt }: ExplainedExecution,
  run: PublicExplanation['status'],
): string {
  const took =
    startedAt === null || closedAt === null
      ? ''
      : ` after ${drawDuration(Date.parse(closedAt) - Date.parse(startedAt))}`;
  switch (status) {
    case 'running':
      return run === 'waiting' ? 'waiting' : 'still running';
    case 'timed_out':
      return `timed out${took}`;
    case 'continued':
      return `continued${took}`;
    case 'forgotten':
      return 'by request; it ran nothing';
    case 'gone':
      return 'deleted by Temporal';
    default:
      return `${status}${took}`;
  }
}

function count(value: number, what: string): string {
  return `${value} ${what}${value === 1 ? '' : 's'}`;
}
