import { LIMITS } from '../contract/limits.ts';
import type { RunState } from '../contract/run.ts';
import type { StepUsage } from '../contract/step.ts';
import { bytesOfText } from '../contract/text-bytes.ts';
import { markdownText } from './markdown.ts';
import { drawWaiting, type RunNames } from './waiting-details.ts';

/** One line of the table in Temporal UI. */
export interface StepRow {
  step: string;
  activity: string;
  summary: string;
  state: 'running' | 'waiting' | 'done' | 'failed';
  note?: string;
  /** As it was drawn last. */
  drawn?: { of: string; line: string; bytes: number };
}

/** Rows that Temporal UI shows. */
export const ROWS_SHOWN = 30;
/** For the line that says how many rows are not shown. */
const ROOM_FOR_COUNT = 100;

/** Temporal UI draws tables without any space between the columns, and drops ordinary blanks. */
const GAP = '\u00a0\u00a0\u00a0';

const counted = (count: number, what: string): string =>
  `${count} ${what}${count === 1 ? '' : 's'}`;

/** The running picture as Markdown: what Temporal UI shows as the workflow's current details. */
export function drawDetails(state: RunState, rows: readonly StepRow[], run: RunNames): string {
  const { usage, turn, maxTurns, status } = state;
  const head = [
    `**${status}**`,
    `turn ${turn}${maxTurns === null ? '' : ` of ${maxTurns}`}`,
    counted(usage.modelCalls, 'model call'),
    counted(usage.toolCalls, 'tool call'),
    drawTokens(usage),
    usage.costUsd === null ? 'cost unknown' : `${usage.costUsd} USD`,
  ].join(' · ');
  const top = [head, ...drawWaiting(state.waiting, run), ''];
  const titles = ['| step | activity | what | state | |', '| :-- | :-- | :-- | :-- | :-- |'];
  const table: string[] = [];
  let bytes = bytesOfText([...top, ...titles].join('\n'));
  // The last ones, in any case few enough for people, and for the server.
  for (const row of rows.toReversed()) {
    const { line, bytes: own } = drawRow(row);
    bytes += own + 1;
    if (table.length >= ROWS_SHOWN || bytes > LIMITS.detailsBytes - ROOM_FOR_COUNT) break;
    table.unshift(line);
  }
  const left = rows.length - table.length;
  return [
    ...top,
    ...(left > 0 ? [`The last ${table.length} steps; ${left} more are not shown here.`, ''] : []),
    ...titles,
    ...table,
  ].join('\n');
}

/** Most rows are as they were: each step draws all of them twice. */
function drawRow(row: StepRow): Required<StepRow>['drawn'] {
  const of = `${row.summary} | ${row.state}${GAP} | ${row.note ?? ''} |`;
  if (row.drawn?.of === of) return row.drawn;
  const line = `| ${row.step}${GAP} | ${row.activity}${GAP} | ${markdownText(row.summary)}${GAP} | ${row.state}${GAP} | ${row.note ?? ''} |`;
  row.drawn = { of, line, bytes: bytesOfText(line) };
  return row.drawn;
}

/** `10000 (9000 cached) + 500 (300 thinking) tokens`. */
export function drawTokens(usage: StepUsage): string {
  const { inputTokens, outputTokens, cachedInputTokens, reasoningTokens } = usage;
  const cached = cachedInputTokens ? ` (${cachedInputTokens} cached)` : '';
  const thinking = reasoningTokens ? ` (${reasoningTokens} thinking)` : '';
  return `${inputTokens}${cached} + ${outputTokens}${thinking} tokens`;
}
