import type { BatchOutcome } from './batch.ts';
import { nameLines } from './batch-lines.ts';
import type { BatchFailure, BatchTally } from './batch-tally.ts';
import { plainCommand } from '../../cli/commands.ts';
import type { coloursOf } from '../../cli/output.ts';
import { printable } from '../../cli/output.ts';
import { drawUsage } from '../../cli/show-run.ts';
import { optionWith, tenantOptions } from '../../contract/command-line.ts';

type Colours = ReturnType<typeof coloursOf>;

/** How many failures a person reads; `--json` has all. */
const SHOWN = 20;

/** What became of a batch, for people. */
export function drawBatch(
  colours: Colours,
  { agent, key }: { agent: string; key: string },
  tally: BatchTally,
): string {
  const { counts, failures } = tally;
  const replayed = counts.replayed > 0 ? `, of these ${counts.replayed} replayed` : '';
  const resumed = counts.resumed > 0 ? ` (${counts.resumed} resumed)` : '';
  const rows: [string, string][] = [
    ['completed', `${counts.completed} of ${counts.lines}${replayed}${resumed}`],
  ];
  if (counts.failed > 0) rows.push(['failed', String(counts.failed)]);
  for (const failure of failures.slice(0, SHOWN)) rows.push(['', drawFailure(colours, failure)]);
  if (failures.length > SHOWN) rows.push(['', `and ${failures.length - SHOWN} more: see --json`]);
  if (counts.conflicts > 0) {
    rows.push(['conflicts', `${counts.conflicts}: ${nameLines(tally.conflicts)}`]);
  }
  if (counts.waiting > 0) {
    const lines = tally.waiting.map(({ line }) => line);
    rows.push(['waiting', `${counts.waiting}, for a person: ${nameLines(lines)}`]);
  }
  if (counts.underWay > 0) rows.push(['under way', String(counts.underWay)]);
  if (counts.notStarted > 0) rows.push(['not begun', String(counts.notStarted)]);
  rows.push(['usage', drawUsage(tally.usage)]);
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    `batch  ${colours.bold(agent)} ${printable(key)}`,
    ...rows.map(([name, value]) => `  ${colours.dim(name.padEnd(width))}  ${value}`),
  ].join('\n');
}

/** A line of the batch as the command's `--json` has it. */
export function lineDocument({ line, key, state, run, error }: BatchOutcome): object {
  return {
    line,
    key,
    status: state,
    workflowId: run?.workflowId ?? null,
    runId: run?.runId ?? null,
    result: run?.result ?? null,
    waiting: run?.waiting ?? [],
    ...(run?.waitingMore === undefined ? {} : { waitingMore: run.waitingMore }),
    error,
    usage: run?.usage ?? null,
    replayed: run?.replayed ?? false,
    resumed: run?.resumed ?? false,
    definitionChanged: run?.definitionChanged ?? false,
  };
}

function drawFailure(colours: Colours, { line, key, code, message }: BatchFailure): string {
  const text = printable(message);
  const cut = text.length > 160 ? `${text.slice(0, 159)}…` : text;
  return `${colours.red(`line ${line}`)}  ${printable(key)}  ${code}: ${cut}`;
}

/** The command that goes on with a batch. */
export function batchCommandFor(
  batch: { agent: string; tenant: string; file: string; key: string },
  options: readonly string[] = [],
): string {
  const { agent, tenant, file, key } = batch;
  const named = [optionWith('--batch', file), optionWith('--key', key), ...tenantOptions(tenant)];
  return plainCommand(['start', agent, ...named, ...options].join(' '));
}
