import type { RunState } from '../contract/run.ts';
import { markdownText } from './markdown.ts';
import { drawWaiting, type RunNames } from './waiting-details.ts';

/** One line of the table in Temporal UI. */
export interface StepRow {
  step: string;
  activity: string;
  summary: string;
  state: 'running' | 'waiting' | 'done' | 'failed';
  note?: string;
}

/** Temporal UI draws tables without any space between the columns, and drops ordinary blanks. */
const GAP = '\u00a0\u00a0\u00a0';

/** The running picture as Markdown: what Temporal UI shows as the workflow's current details. */
export function drawDetails(state: RunState, rows: readonly StepRow[], run: RunNames): string {
  const { usage, turn, maxTurns, status } = state;
  const head = [
    `**${status}**`,
    `turn ${turn}${maxTurns === null ? '' : ` of ${maxTurns}`}`,
    `${usage.modelCalls} model calls`,
    `${usage.toolCalls} tool calls`,
    `${usage.inputTokens} + ${usage.outputTokens} tokens`,
    usage.costUsd === null ? 'cost unknown' : `${usage.costUsd} USD`,
  ].join(' · ');
  const table = rows.map(
    (row) =>
      `| ${row.step}${GAP} | ${row.activity}${GAP} | ${markdownText(row.summary)}${GAP} | ${row.state}${GAP} | ${row.note ?? ''} |`,
  );
  return [
    head,
    ...drawWaiting(state.waiting, run),
    '',
    '| step | activity | what | state | |',
    '| :-- | :-- | :-- | :-- | :-- |',
    ...table,
  ].join('\n');
}
