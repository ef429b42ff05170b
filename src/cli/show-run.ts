import type { RunView } from '../client/types.ts';
import { QUESTION_WORDS } from '../contract/decision-words.ts';
import type { OpenQuestion } from '../contract/decision.ts';
import { DEFAULT_TENANT } from '../contract/key.ts';
import type { ListedStatus, RunState, Usage } from '../contract/run.ts';
import type { StepUsage } from '../contract/step.ts';
import type { coloursOf } from './output.ts';
import { printable } from './output.ts';

type Colours = ReturnType<typeof coloursOf>;
type Waits = Pick<RunView, 'waiting' | 'waitingMore'>;

/** A run as a small table for people. */
export function drawRun(
  colours: Colours,
  run: RunView,
  more: { url: string; state?: RunState | undefined },
): string {
  const rows: [string, string | undefined][] = [
    ['tenant', run.tenant === DEFAULT_TENANT ? undefined : run.tenant],
    ['workflow', run.workflowId],
    ['run', run.runId],
    ['started', `${drawTime(run.startedAt)}${drawAge(run)}`],
    ['shadow', run.shadow && drawPretended(run)],
    ['doing', more.state && drawSteps(more.state)],
    ['waits for', drawAllWaiting(run).join('\n            ')],
    ['usage', run.usage ? drawUsage(run.usage) : undefined],
    ['error', run.error ? `${printable(run.error.message)} (${run.error.code})` : undefined],
    ['ui', more.url],
  ];
  const lines = rows
    .filter((row): row is [string, string] => row[1] !== undefined && row[1] !== '')
    .map(([name, value]) => `  ${colours.dim(name.padEnd(9))} ${value}`);
  const head = `${drawStatus(colours, run.status)}  ${colours.bold(run.agent)} ${printable(run.key)}`;
  return [head, ...lines].join('\n');
}

function drawPretended({ shadow = [], closedAt }: RunView): string {
  return closedAt === null
    ? 'effects are recorded, not executed'
    : `${count(shadow.length, 'effect')} recorded, not executed`;
}

const COLOUR_OF = {
  completed: 'green',
  failed: 'red',
  running: 'cyan',
  waiting: 'yellow',
  cancelled: 'yellow',
  forgotten: 'yellow',
} as const satisfies Record<ListedStatus, keyof Colours>;

export function drawStatus(colours: Colours, status: ListedStatus): string {
  return colours[COLOUR_OF[status]](status);
}

/** What a run is doing: the turn, and the steps under way. */
export function drawSteps(state: RunState): string {
  if (state.turn === 0) return 'about to begin';
  const turn = `turn ${state.turn}${state.maxTurns === null ? '' : ` of ${state.maxTurns}`}`;
  const steps = state.active.map(({ step, activity, summary }) => {
    if (activity === 'callModel') return 'model';
    const waits = state.waiting.some((question) => question.step === step);
    return `${activity.replace(/^tool\./, '')} (${summary})${waits ? ' waits for a person' : ''}`;
  });
  return printable([turn, steps.join(', ')].filter(Boolean).join(' · '));
}

/** The call that is asked about: `t2.c0 send_email: to ann`. */
export function labelQuestion({ step, tool, summary }: OpenQuestion): string {
  return printable(labelOf({ id: step, kind: 'tool', tool, summary }));
}

/** All that a run waits for, a line each; what is not known here, as a number. */
export function drawAllWaiting({ waiting, waitingMore }: Waits): string[] {
  const more =
    waitingMore === undefined ? [] : [`answers to ${count(waitingMore, 'more question')}`];
  const known = waiting.map(
    (question) =>
      `${QUESTION_WORDS[question.kind].waitsFor} ${labelQuestion(question)}, until ${drawTime(question.deadline)}`,
  );
  return [...known, ...more];
}

export function drawUsage(usage: Usage): string {
  return `${drawCalls(usage)} · ${drawSpent(usage)}`;
}

/** Calls that were answered, and the turns that they belong to. */
export function drawCalls({ turns, modelCalls, toolCalls }: Usage): string {
  return [
    count(turns, 'turn'),
    count(modelCalls, 'model call'),
    count(toolCalls, 'tool call'),
  ].join(' · ');
}

/** Tokens and money. */
export function drawSpent(usage: StepUsage): string {
  return `${drawTokens(usage)} · ${drawCost(usage.costUsd)}`;
}

export function drawTokens(usage: StepUsage): string {
  const { inputTokens, outputTokens, cachedInputTokens, reasoningTokens } = usage;
  const cached = cachedInputTokens ? ` (${number(cachedInputTokens)} cached)` : '';
  const thinking = reasoningTokens ? ` (${number(reasoningTokens)} thinking)` : '';
  return `${number(inputTokens)} in${cached} + ${number(outputTokens)} out${thinking} tokens`;
}

/** Money that is not known is not zero. */
export function drawCost(costUsd: number | null): string {
  return costUsd === null ? 'cost unknown' : drawUsd(costUsd);
}

/** To the cent at least; of less than a dollar, as far as there is something to see. */
function drawUsd(costUsd: number): string {
  if (costUsd === 0 || costUsd >= 1) return `$${costUsd.toFixed(2)}`;
  return `$${costUsd.toFixed(costUsd < 0.01 ? 6 : 4).replace(/(\.\d\d\d*?)0+$/, '$1')}`;
}

/** Milliseconds as people say them. */
export function drawDuration(ms: number): string {
  const seconds = Math.max(0, ms) / 1_000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60 === 0 ? '' : ` ${minutes % 60} min`;
  return hours < 48 ? `${hours} h${rest}` : `${Math.floor(hours / 24)} days`;
}

/** Swedes write 2026-01-31 09:05:00. */
const ISO_LIKE = 'sv-SE';

/** Local time, to the second. */
export function drawTime(iso: string): string {
  return new Date(iso).toLocaleString(ISO_LIKE);
}

/** Local time of day, to the second. */
export function drawClock(iso: string): string {
  return new Date(iso).toLocaleTimeString(ISO_LIKE);
}

function drawAge({ startedAt, closedAt }: RunView): string {
  const from = Date.parse(startedAt);
  return closedAt === null
    ? ` (${drawDuration(Date.now() - from)} ago)`
    : `, took ${drawDuration(Date.parse(closedAt) - from)}`;
}

function count(value: number, what: string): string {
  return `${number(value)} ${what}${value === 1 ? '' : 's'}`;
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

/** What names a step to people. */
interface Named {
  id: string;
  kind: 'model' | 'tool';
  tool: string | null;
  summary: string | null;
}

/** What a step is, on one line: `issue_refund: order 1042`. Text of tools and models is in it. */
export function titleOf({ kind, tool, summary }: Named): string {
  if (kind === 'model') return summary ?? 'model call';
  const name = tool ?? 'tool';
  // Many a summary begins with its tool's name.
  if (summary === null || summary === name || summary.startsWith(`${name} `))
    return summary ?? name;
  return `${name}: ${summary}`;
}

/** A step as a sentence names it: `t2.c0 issue_refund: order 1042`. */
export function labelOf(step: Named): string {
  return step.kind === 'model' ? step.id : `${step.id} ${titleOf(step)}`;
}
