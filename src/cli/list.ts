import { Option, type Command } from 'commander';
import { readConfig } from '../config.ts';
import type { ListFilter, RunSummary } from '../client/types.ts';
import { defined } from '../contract/defined.ts';
import { assertName, DEFAULT_TENANT } from '../contract/key.ts';
import { LISTED_STATUSES, type ListedStatus } from '../contract/run.ts';
import { hasCommand, plainCommand } from './commands.ts';
import { withClient } from './open-client.ts';
import { parseCount } from './options.ts';
import { coloursOf, print, printable, printJson, say } from './output.ts';
import { drawAllWaiting, drawDuration, drawStatus, drawTime } from './show-run.ts';

interface ListFlags {
  agent?: string;
  tenant?: string;
  status?: ListedStatus;
  limit: number;
  json?: true;
}

/** `agent-once list`: the runs there are. */
export function registerList(program: Command): void {
  program
    .command('list')
    .summary('list runs')
    .description(
      'Lists runs: those under way first, then the latest. A forgotten run is there until Temporal deletes it.',
    )
    .option('--agent <agent>', 'only runs of this agent')
    .option('--tenant <tenant>', 'only runs of this tenant; default: of all')
    .addOption(new Option('--status <status>', 'only runs that stand so').choices(LISTED_STATUSES))
    .option('--limit <n>', 'how many at most', parseCount(10_000), 20)
    .option('--json', 'print one JSON document, {"runs":[…]}, on stdout')
    .addHelpText(
      'after',
      `
Temporal's list of runs lags behind by about a second; status and result do not.

Examples:
  $ agent-once list --agent support --status failed
  $ agent-once list --status waiting    what people are asked
  $ agent-once list --limit 100 --json | jq -r '.runs[] | [.workflowId, .status, .error] | @tsv'

Exit codes:
  0  listed, even if there is none           2  wrong usage
  6  Temporal cannot be reached`,
    )
    .action(runList);
}

async function runList(flags: ListFlags): Promise<void> {
  const { agent, tenant, status, limit } = flags;
  if (agent !== undefined) assertName('agent', agent);
  if (tenant !== undefined) assertName('tenant', tenant);
  const filter: ListFilter = {
    // One more, to know whether there are more.
    limit: limit + 1,
    ...defined({ agent, tenant, status }),
  };
  await withClient(readConfig(), async ({ client }) => {
    const runs: RunSummary[] = [];
    for await (const run of client.list(filter)) runs.push(run);
    const more = runs.length > limit;
    const shown = runs.slice(0, limit);
    if (flags.json) {
      printJson({ runs: shown, more });
      return;
    }
    if (shown.length === 0) say('There are no such runs.');
    else print(drawTable(shown, coloursOf(process.stdout)));
    if (more) say(`There are more: --limit ${limit * 5}`);
    if (hasCommand('resolve') && shown.some(({ waiting }) => waiting.length > 0)) {
      say(`How to answer: ${plainCommand('status <agent> <key>')}`);
    }
  });
}

function drawTable(runs: RunSummary[], colours: ReturnType<typeof coloursOf>): string {
  const columns: [title: string, draw: (run: RunSummary) => string, isShown: boolean][] = [
    ['STATUS', ({ status }) => status, true],
    ['SHADOW', ({ shadow }) => (shadow ? 'shadow' : ''), runs.some(({ shadow }) => shadow)],
    ['AGENT', ({ agent }) => agent, true],
    ['TENANT', ({ tenant }) => tenant, runs.some(({ tenant }) => tenant !== DEFAULT_TENANT)],
    ['STARTED', ({ startedAt }) => drawTime(startedAt), true],
    ['TIME', (run) => (run.status === 'forgotten' ? '' : drawDuration(tookMs(run))), true],
    ['ERROR', ({ error }) => error ?? '', true],
    ['KEY', ({ key }) => printable(key), true],
  ];
  const shown = columns.filter(([, , isShown]) => isShown);
  const rows = [
    shown.map(([title]) => title),
    ...runs.map((run) => shown.map(([, drawCell]) => drawCell(run))),
  ];
  const widths = shown.map((_column, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const [head = '', ...lines] = rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const drawn = runs.flatMap((run, at) => [
    drawStatus(colours, run.status) + (lines[at] ?? '').slice(run.status.length),
    ...drawAllWaiting(run).map((what) => `  ${what}`),
  ]);
  return [colours.dim(head), ...drawn].join('\n');
}

function tookMs({ startedAt, closedAt }: RunSummary): number {
  return (closedAt === null ? Date.now() : Date.parse(closedAt)) - Date.parse(startedAt);
}
