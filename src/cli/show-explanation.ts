import type { ExplainedExecution, Explanation, LiveRun } from '../explain/explanation.ts';
import { DEFAULT_TENANT } from '../contract/key.ts';
import { nextSteps } from './next-steps.ts';
import type { coloursOf } from './output.ts';
import { printable } from './output.ts';
import { drawDuration, drawStatus, drawTime, drawUsage } from './show-run.ts';
import { drawTurns } from './show-steps.ts';

type Colours = ReturnType<typeof coloursOf>;

/** What happened under a key, as a story that is read from top to bottom. */
export function drawExplanation(colours: Colours, explanation: Explanation): string {
  const { steps, notes, live } = explanation;
  const sections: [title: string, lines: string[]][] = [
    ['Executions', drawExecutions(colours, explanation)],
    ['Now', live ? drawLive(live) : []],
    ['Steps', steps ? drawTurns(colours, steps, explanation) : ['not known without the ledger']],
    ['Worth knowing', notes.map((note) => `- ${printable(note)}`)],
    ['Next', nextSteps(explanation).map((line) => `- ${line}`)],
  ];
  return [
    ...drawHead(colours, explanation),
    ...sections
      .filter(([, lines]) => lines.length > 0)
      .flatMap(([title, lines]) => ['', colours.bold(title), ...lines.map((line) => `  ${line}`)]),
  ].join('\n');
}

function drawHead(colours: Colours, explanation: Explanation): string[] {
  const { status, agent, key, tenant, error, keyExpiresAt, workflowId, ui } = explanation;
  const used = explanation.usage ?? explanation.reportedUsage;
  const rows: [string, string | undefined][] = [
    ['tenant', tenant === DEFAULT_TENANT ? undefined : tenant],
    ['time', drawSpan(explanation)],
    ['usage', used ? drawUsage(used) : undefined],
    ['error', error ? `${printable(error.message)} (${error.code})` : undefined],
    ['key', keyExpiresAt === null ? undefined : drawExpiry(keyExpiresAt)],
    ['workflow', workflowId],
    ['ui', ui],
  ];
  const painted = status === 'forgotten' ? colours.yellow(status) : drawStatus(colours, status);
  return [
    `${painted}  ${colours.bold(agent)} ${printable(key)}`,
    ...rows
      .filter((row): row is [string, string] => row[1] !== undefined)
      .map(([name, value]) => `  ${colours.dim(name.padEnd(9))} ${value}`),
  ];
}

function drawSpan({ startedAt, closedAt, status }: Explanation): string {
  const from = drawTime(startedAt);
  if (closedAt === null) return `since ${from}, ${drawDuration(since(startedAt))} ago`;
  if (status === 'forgotten') return `started ${from}, forgotten ${drawTime(closedAt)}`;
  return `${from} to ${drawTime(closedAt)}, ${drawDuration(between(startedAt, closedAt))}`;
}

function drawExpiry(at: string): string {
  return Date.parse(at) > Date.now()
    ? `names this run until ${drawTime(at)}`
    : `has expired at ${drawTime(at)}: the next start under it makes a new run`;
}

function drawExecutions(colours: Colours, { executions, scope }: Explanation): string[] {
  return executions.flatMap((execution, at) => {
    const { runId, startedAt } = execution;
    // The last one's is at the top.
    const error = at === executions.length - 1 ? null : execution.error;
    const when = startedAt === null ? '' : `  ${drawTime(startedAt)}`;
    const other = execution.scope === scope || execution.scope === null;
    const line = `${at + 1}. ${whyStarted(execution, executions)}, ${howEnded(execution)}${when}  ${colours.dim(`run ${runId}`)}`;
    return [
      other ? line : `${line} ${colours.dim('(an earlier request)')}`,
      ...(error ? [`     ${printable(error.message)} (${error.code})`] : []),
    ];
  });
}

function whyStarted(
  { intent, predecessor }: ExplainedExecution,
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
      return before === -1 ? 'resumed' : `resume of ${before + 1}`;
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

function howEnded({ status, startedAt, closedAt }: ExplainedExecution): string {
  const took =
    startedAt === null || closedAt === null
      ? ''
      : ` after ${drawDuration(between(startedAt, closedAt))}`;
  switch (status) {
    case 'running':
      return 'still running';
    case 'timed_out':
      return `timed out${took}`;
    case 'continued':
      return `continued${took}`;
    case 'forgotten':
      return 'by request';
    case 'gone':
      return 'deleted by Temporal';
    default:
      return `${status}${took}`;
  }
}

function drawLive({ turn, maxTurns, pending }: LiveRun): string[] {
  const head = turn === null ? [] : [`turn ${turn}${maxTurns === null ? '' : ` of ${maxTurns}`}`];
  const lines = pending.map(({ activity, state, attempt, nextAttemptAt, lastError }) => {
    const name = activity === 'callModel' ? 'model' : activity.replace(/^tool\./, '');
    const when =
      nextAttemptAt === null
        ? ''
        : `, tried again in ${drawDuration(Date.parse(nextAttemptAt) - Date.now())}`;
    const why = lastError ? `; before it: ${printable(lastError.message)} (${lastError.code})` : '';
    const how = { started: 'under way', scheduled: 'waits for a worker' } as Record<string, string>;
    return `${printable(name)}: attempt ${attempt} ${when === '' ? (how[state] ?? state) : 'waits'}${when}${why}`;
  });
  return [...head, ...lines];
}

function between(from: string, to: string): number {
  return Date.parse(to) - Date.parse(from);
}

function since(from: string): number {
  return Date.now() - Date.parse(from);
}
