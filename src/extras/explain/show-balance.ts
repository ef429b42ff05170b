import type { ExplainedStep, Explanation, PublicExplanation } from './explanation.ts';
import { usesModel } from './sum-usage.ts';
import { lineOf } from './list-steps.ts';
import { printable } from '../../cli/output.ts';
import { drawCost, drawTokens } from '../../cli/show-run.ts';

/** What it cost, from all executions of the run; a doubt widens it. */
export function drawPrice(explanation: PublicExplanation): string | null {
  const { usage, reportedUsage, possiblyPaid, closedAt, steps } = explanation;
  const used = usage ?? reportedUsage;
  if (!used) return null;
  return [
    `${used.costUsd === null ? 'unknown' : drawCost(used.costUsd)} · ${drawTokens(used)}${closedAt === null ? ' so far' : ''}`,
    ...(used.costUsd === null ? whyUnknown(steps ?? []) : []),
    ...(possiblyPaid && possiblyPaid.calls > 0
      ? [drawMore(used.costUsd, possiblyPaid.costUsd)]
      : []),
    ...drawSplit(explanation),
    ...drawTogether(explanation),
  ].join('; ');
}

/** What a sum of costs lacks. */
function whyUnknown(steps: readonly ExplainedStep[]): string[] {
  const calls = steps.filter(usesModel);
  const unpriced = calls.filter(({ usage }) => usage && usage.costUsd === null);
  const models = [...new Set(unpriced.map(({ model }) => printable(model ?? 'the model')))];
  return [
    ...(models.length > 0 ? [`no price was set for ${models.join(', ')} (MODEL_PRICES_FILE)`] : []),
    ...lineOf(
      'the endpoint told no usage of',
      calls.filter(({ usage }) => usage === null),
    ),
  ];
}

function drawMore(sure: number | null, more: number | null): string {
  return sure === null || more === null
    ? 'and what may have been paid besides, which is not known'
    : `up to ${drawCost(sure + more)} with what may have been paid besides`;
}

/** The costs of each execution, where more than one had some. */
function drawSplit({ steps, executions }: PublicExplanation): string[] {
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
function drawTogether({ earlierRuns, usage }: PublicExplanation): string[] {
  if (!earlierRuns || earlierRuns.length === 0) return [];
  const costs = [...earlierRuns.map((run) => run.usage), usage].map(
    (each) => each?.costUsd ?? null,
  );
  const known = costs.filter((cost) => cost !== null);
  const sum = known.length < costs.length ? null : known.reduce((total, cost) => total + cost, 0);
  return [`with the earlier runs under this key: ${drawCost(sum)}`];
}

/** What may have been paid or made twice. */
export function drawTwice({ steps, possiblyPaid }: PublicExplanation): string {
  if (!steps) return 'not known without the ledger';
  const doubts = [
    ...drawPaid(possiblyPaid),
    ...lineOf('made by an earlier run and AGAIN by this one', steps.filter(isRepeated)),
    ...lineOf('possibly made twice', steps.filter(cameLate)),
  ];
  return doubts.length === 0
    ? 'nothing is known to have been paid twice or made twice'
    : doubts.join('; ');
}

function drawPaid(paid: Explanation['possiblyPaid']): string[] {
  if (!paid || paid.calls === 0) return [];
  const which = paid.steps.slice(0, 6).join(', ') + (paid.steps.length > 6 ? ', …' : '');
  const calls = paid.calls === 1 ? '1 model call' : `${paid.calls} model calls`;
  return [`${calls} may have been paid besides those counted (${which})`];
}

function isRepeated({ repeats }: ExplainedStep): boolean {
  return repeats.length > 0;
}

function cameLate({ errors }: ExplainedStep): boolean {
  return errors.some(({ code }) => code === 'step.late_effect');
}
