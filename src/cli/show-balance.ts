import type { ExplainedStep, Explanation } from '../explain/explanation.ts';
import { listSteps } from '../explain/step-title.ts';
import { printable } from './output.ts';
import { drawCalls, drawCost, drawTokens } from './show-run.ts';

/** What the run did: calls that ended well, and those that did not. */
export function drawWork({ usage, reportedUsage, steps, closedAt }: Explanation): string | null {
  const used = usage ?? reportedUsage;
  if (!used) return null;
  const begun = (steps ?? []).filter(({ state }) => state !== 'planned');
  const left = begun.filter(({ state }) => state !== 'completed');
  const attempts = begun.reduce((total, step) => total + step.attempts, 0);
  const done = [
    drawCalls(used),
    left.length > 0 &&
      `${closedAt === null ? 'under way' : 'not done'}: ${printable(listSteps(left))}`,
    attempts > begun.length && `${attempts} attempts in all`,
  ];
  return done.filter((part) => typeof part === 'string').join(' · ');
}

/** What it cost, from all executions of the run; a doubt widens it. */
export function drawPrice(explanation: Explanation): string | null {
  const { usage, reportedUsage, possiblyPaid, closedAt } = explanation;
  const used = usage ?? reportedUsage;
  if (!used) return null;
  return [
    `${drawCost(used.costUsd)} · ${drawTokens(used)}${closedAt === null ? ' so far' : ''}`,
    ...(possiblyPaid && possiblyPaid.calls > 0
      ? [drawMore(used.costUsd, possiblyPaid.costUsd)]
      : []),
    ...drawSplit(explanation),
    ...drawTogether(explanation),
  ].join('; ');
}

function drawMore(sure: number | null, more: number | null): string {
  return sure === null || more === null
    ? 'and what may have been paid besides, which is not known'
    : `up to ${drawCost(sure + more)} with what may have been paid besides`;
}

/** The costs of each execution, where more than one had some. */
function drawSplit({ steps, executions }: Explanation): string[] {
  const parts = executions.flatMap(({ runId }, at) => {
    const own = (steps ?? []).filter((step) => step.executedIn === runId && step.usage);
    const costs = own.map(({ usage }) => usage?.costUsd ?? null);
    if (costs.length === 0 || costs.some((cost) => cost === null)) return [];
    return [
      `execution ${at + 1}: ${drawCost(costs.reduce<number>((sum, cost) => sum + (cost ?? 0), 0))}`,
    ];
  });
  return parts.length > 1 ? [parts.join(', ')] : [];
}

/** What all runs under the key cost, where there were others. */
function drawTogether({ earlierRuns, usage }: Explanation): string[] {
  if (!earlierRuns || earlierRuns.length === 0) return [];
  const costs = [...earlierRuns.map((run) => run.usage), usage].map(
    (each) => each?.costUsd ?? null,
  );
  const known = costs.filter((cost) => cost !== null);
  const sum = known.length < costs.length ? null : known.reduce((total, cost) => total + cost, 0);
  return [`with the earlier runs under this key: ${drawCost(sum)}`];
}

/** Effects of which nobody knows yet whether they happened. */
export function drawUnsure({ steps }: Explanation): string | null {
  const unsure = (steps ?? []).filter(
    ({ happened, leaseLeftMs }) => happened === 'maybe' && (leaseLeftMs ?? 0) <= 0,
  );
  return unsure.length === 0 ? null : `whether this happened: ${printable(listSteps(unsure))}`;
}

/** What may have been paid or made twice. */
export function drawTwice({ steps, possiblyPaid }: Explanation): string {
  if (!steps) return 'not known without the ledger';
  const doubts = [
    drawPaid(possiblyPaid),
    drawMade('made by an earlier run and AGAIN by this one', steps.filter(isRepeated)),
    drawMade('possibly made twice', steps.filter(cameLate)),
  ].filter((doubt) => doubt !== null);
  return doubts.length === 0
    ? 'nothing is known to have been paid twice or made twice'
    : doubts.join('; ');
}

function drawPaid(paid: Explanation['possiblyPaid']): string | null {
  if (!paid || paid.calls === 0) return null;
  const which = paid.steps.slice(0, 6).join(', ') + (paid.steps.length > 6 ? ', …' : '');
  const calls = paid.calls === 1 ? '1 model call' : `${paid.calls} model calls`;
  return `${calls} may have been paid besides those counted (${which})`;
}

function drawMade(what: string, steps: readonly ExplainedStep[]): string | null {
  return steps.length === 0 ? null : `${what}: ${printable(listSteps(steps))}`;
}

function isRepeated({ repeats }: ExplainedStep): boolean {
  return repeats.length > 0;
}

function cameLate({ errors }: ExplainedStep): boolean {
  return errors.some(({ code }) => code === 'step.late_effect');
}
