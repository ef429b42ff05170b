import type { Client } from '@temporalio/client';
import { mib, type PartReport } from '../part-report.ts';
import type { BenchServers } from '../servers.ts';
import { median, percentile } from '../statistics.ts';
import { clean, lookForOld, middleOf, stateOf, type TableState } from './cleaning.ts';
import { createLedger, fillLedger, withClient } from './fill.ts';
import {
  explainRun,
  openMeasured,
  writeRun,
  type MeasuredLedger,
  type Times,
} from './operations.ts';
import { explain, listen, sequential, type Plan } from './plans.ts';

/** How many times larger the large ledger is than the small one. */
const TIMES_LARGER = 1_000;
/** A small ledger with fewer steps has too few old ones to clean. */
const LEAST_SMALL = 5_000;
/** Runs that are written to each, and read from each. */
const RUNS = 300;
/** Runs of each before anything counts. */
const WARM_UP = 50;
/** A table with fewer rows is read as a whole with good reason. */
const SMALL_ROWS = 5_000;
/** Of the runs of each that are cleaned away; of the large one more, to see what is left behind. */
const CLEANED_RUNS = 300;
const CLEANED_SHARE = 0.05;

interface LedgerRow {
  what: string;
  /** Milliseconds. */
  small: { median: number; p95: number };
  large: { median: number; p95: number };
  /** Large to small, of the medians. */
  ratio: number;
}

/**
 * A ledger of millions of steps against one of thousands.
 *
 * @throws where a statement reads all of a large table
 */
export async function ledgerPart(
  servers: BenchServers,
  _temporal: Client,
  { rows }: { rows: number },
  tell: (line: string) => void,
): Promise<PartReport> {
  const few = Math.max(Math.round(rows / TIMES_LARGER), LEAST_SMALL);
  const urls = {
    small: await createLedger(servers.ledger, 'bench_small'),
    large: await createLedger(servers.ledger, 'bench_large'),
  };
  await fillLedger(urls.small, few, tell);
  await fillLedger(urls.large, rows, tell);
  const runs = RUNS + 2 * WARM_UP;
  const small = await openMeasured(urls.small, runs);
  const large = await openMeasured(urls.large, runs);
  try {
    const tables = await largeTables(urls.large);
    const plans = { small: await plansOf(small), large: await plansOf(large) };
    const wrong = sequential(plans.large, tables);
    if (wrong.length > 0) throw new Error(wrong.join('\n\n'));

    const times = { small: {} as Times, large: {} as Times };
    const middles = { small: await middleOf(urls.small), large: await middleOf(urls.large) };
    tell('Ledger: warming up …');
    await takeTurns(WARM_UP, small, large, middles, { small: {}, large: {} });
    tell(`Ledger: ${RUNS} runs in each …`);
    await takeTurns(RUNS, small, large, middles, times);

    const states = [await stateOf(urls.large, 'before cleaning')];
    const scopes = Math.max(Math.round((rows / 10) * CLEANED_SHARE), CLEANED_RUNS);
    tell(`Ledger: cleaning away ${scopes} runs of the large one …`);
    await clean(small, CLEANED_RUNS, times.small);
    await clean(large, CLEANED_RUNS, times.large);
    const removed = await clean(large, scopes - CLEANED_RUNS, {});
    states.push(await stateOf(urls.large, `${scopes} runs removed`));
    if (removed === 0 && scopes > CLEANED_RUNS) throw new Error('Nothing was cleaned away');
    const after: Times = {};
    for (let look = 0; look < WARM_UP; look += 1) await lookForOld(large, middles.large, after);
    await withClient(urls.large, (client) => client.query('VACUUM agent_once.steps'));
    states.push(await stateOf(urls.large, 'vacuumed'));
    tell('Ledger: as many steps again …');
    await fillLedger(urls.large, scopes * 10, () => undefined);
    states.push(await stateOf(urls.large, 'as many steps added'));

    const measured = rowsOf(times.small, times.large);
    const figures = { few, rows, rowsMeasured: measured, plans, states, afterCleaning: after };
    return { part: 'ledger', figures, ...draw(few, rows, measured, plans, states, after) };
  } finally {
    await Promise.all([small.close(), large.close()]);
  }
}

/** One asks the one ledger, then the other, in turns. */
async function takeTurns(
  runs: number,
  small: MeasuredLedger,
  large: MeasuredLedger,
  middles: { small: string; large: string },
  times: { small: Times; large: Times },
): Promise<void> {
  const both = [
    { of: small, middle: middles.small, into: times.small },
    { of: large, middle: middles.large, into: times.large },
  ];
  for (let run = 0; run < runs; run += 1) {
    for (const { of, middle, into } of run % 2 === 0 ? both : both.toReversed()) {
      await all(of, run, middle, into);
    }
  }
}

async function all(of: MeasuredLedger, run: number, middle: string, into: Times): Promise<void> {
  const recent = of.fresh.at(-1) ?? '';
  await writeRun(of, into);
  await explainRun(of, recent, "explain's read, of a run that has just ended", into);
  await explainRun(of, of.held[run % of.held.length] ?? '', "explain's read, of any run", into);
  await lookForOld(of, middle, into);
}

/** The plans of all that is measured; a statement that two of these send comes twice. */
async function plansOf(of: MeasuredLedger): Promise<Plan[]> {
  const middle = await middleOf(of.url);
  const held = of.held[0] ?? '';
  const asked = {
    'a run': await listen(() => writeRun(of, {})),
    explain: await listen(() => explainRun(of, held, 'explain', {})),
    'looking for old runs': await listen(() => lookForOld(of, middle, {})),
    'removing runs': await listen(() => clean(of, 1, {})),
  };
  const plans: Plan[] = [];
  for (const [what, sent] of Object.entries(asked)) {
    plans.push(...(await explain(of.url, what, sent)));
  }
  return plans;
}

function largeTables(url: string): Promise<string[]> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class
       WHERE relnamespace = 'agent_once'::regnamespace AND relkind = 'r' AND reltuples > $1`,
      [SMALL_ROWS],
    );
    return rows.map(({ name }) => name);
  });
}

function rowsOf(small: Times, large: Times): LedgerRow[] {
  const figure = (values: readonly number[] = []) => ({
    median: median(values),
    p95: percentile(values, 95),
  });
  return Object.keys(small).map((what) => {
    const row = { what, small: figure(small[what]), large: figure(large[what]) };
    return { ...row, ratio: row.large.median / row.small.median };
  });
}

function draw(
  few: number,
  many: number,
  rows: readonly LedgerRow[],
  plans: { small: readonly Plan[]; large: readonly Plan[] },
  states: readonly TableState[],
  after: Times,
): Pick<PartReport, 'tables' | 'notes'> {
  const titles = [`${few} steps`, '95 %', `${many} steps`, '95 %', 'large : small'];
  const pages = new Map(plans.small.map((plan) => [plan.what + plan.statement, plan.pages]));
  const scans = plans.large.map(({ what, statement, scans: { own, generic }, pages: more }) => [
    what,
    statement.split('\n')[0] ?? '',
    [...new Set([...own, ...generic].map(({ table, how }) => `${table}: ${how}`))].join('; '),
    String(pages.get(what + statement) ?? ''),
    String(more),
  ]);
  return {
    tables: [
      [
        ['ledger, ms', ...titles],
        ...rows.map(({ what, small, large, ratio }) => [
          what,
          ...[small.median, small.p95, large.median, large.p95, ratio].map((ms) => ms.toFixed(2)),
        ]),
      ],
      [['asked by', 'statement', 'how its tables are read', 'pages, small', 'large'], ...scans],
      [
        ['table of steps', 'MiB', 'its indexes, MiB', 'rows', 'dead rows'],
        ...states.map(({ when, bytes, indexBytes, live, dead }) => [
          when,
          mib(bytes),
          mib(indexBytes),
          String(live),
          String(dead),
        ]),
      ],
    ],
    notes: [
      `${RUNS} runs of ten steps were written to each ledger and read from it, one after the other and in turns.`,
      `After cleaning and before VACUUM: ${Object.entries(after)
        .map(([what, values]) => `${what} ${median(values).toFixed(2)} ms`)
        .join(', ')}.`,
    ],
  };
}
