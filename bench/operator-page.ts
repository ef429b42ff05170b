/**
 * `node --import ./bin/register-typescript.js bench/operator-page.ts [runs]`: how long the operator's
 * page takes where there are many runs. Temporal and PostgreSQL are real, and so are the runs in
 * them, but nobody works on them: what a run that waits has written is written at its start.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { Client, Connection } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import pg from 'pg';
import { AGENT_RUN } from '../src/contract/names.ts';
import { startChild } from '../src/extras/dev/child-process.ts';
import { PROJECT_ROOT } from '../src/extras/dev/paths.ts';
import { findFreePort } from '../src/extras/dev/ports.ts';
import { startPostgres } from '../src/extras/dev/postgres-server.ts';
import { startTemporalServer } from '../src/extras/dev/temporal-server.ts';
import { migrateLedger } from '../src/ledger/open-ledger.ts';
import { median } from './statistics.ts';

const RUNS = Number(process.argv[2] ?? 10_000);
/** The others have ended: they were terminated. Half of them left a question, the oldest ones. */
const WAITING = Math.round(RUNS * 0.6);
const AT_ONCE = 50;
const REPETITIONS = 9;
const STEP = 't1.c0';
/** Longer than one reading of the inbox serves everybody. */
const BETWEEN_MS = 2_100;

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const idOf = (n: number): string => `agent-support-req-${n}`;
/** The younger a run is, the older is its question: no other order may be taken for this one. */
const askedAt = (n: number): Date => new Date(begun - (86_400 + n) * 1_000);
const begun = Date.now();

const stops: (() => Promise<unknown>)[] = [];
const folder = await mkdtemp(path.join(os.tmpdir(), 'agent-once-bench-'));
stops.push(() => rm(folder, { recursive: true, force: true }));
try {
  // PostgreSQL runs as another user where this runs as root.
  await chmod(folder, 0o755);
  const temporal = await startTemporalServer({ dbFile: path.join(folder, 'temporal.db') });
  stops.push(() => temporal.stop());
  const postgres = await startPostgres({ dataDir: path.join(folder, 'postgres'), durable: true });
  stops.push(() => postgres.stop());
  await migrateLedger(postgres.url, []);
  const connection = await Connection.connect({ address: temporal.address });
  stops.push(() => connection.close());

  say(`Starting ${RUNS} runs …`);
  const runIds = await startRuns(new Client({ connection }));
  await fillLedger(postgres.url, runIds);
  await untilListed(new Client({ connection }));

  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const service = await startChild({
    part: 'service',
    command: process.execPath,
    args: ['bin/agent-once.js', 'serve', '--open', '--port', String(port)],
    cwd: PROJECT_ROOT,
    env: {
      ...process.env,
      TEMPORAL_ADDRESS: temporal.address,
      LEDGER_URL: postgres.url,
      AGENT_ONCE_LOG_LEVEL: 'error',
    },
    onLine: () => {},
  });
  stops.push(() => service.stop());
  while (!(await fetch(`${url}/readyz`).catch(() => undefined))?.ok) await pause(100);

  const second = await nextOf(`${url}/app/inbox`);
  const decided = await nextOf(`${url}/app/decided`);
  const pages: [string, string][] = [
    ['inbox', '/app/inbox'],
    ['inbox, second page', second],
    ['decided', '/app/decided'],
    ['decided, second page', decided],
    ['runs', '/app/runs'],
    ['runs that wait', '/app/runs?status=waiting'],
    ['a question', `/app/runs/${idOf(WAITING)}/questions/${STEP}`],
    ["a run's story", `/app/runs/${idOf(WAITING)}`],
  ];
  console.log(
    `| page, of ${RUNS} runs, ${WAITING} of them waiting | first | median | largest | kB |`,
  );
  console.log('| --- | --- | --- | --- | --- |');
  for (const [name, address] of pages) {
    const taken: number[] = [];
    let bytes = 0;
    for (let n = 0; n < REPETITIONS; n += 1) {
      if (address.startsWith('/app/inbox')) await pause(BETWEEN_MS);
      const start = performance.now();
      const answer = await fetch(url + address);
      bytes = (await answer.arrayBuffer()).byteLength;
      taken.push(performance.now() - start);
      if (answer.status !== 200) throw new Error(`${address} was answered ${answer.status}`);
    }
    const [first = 0, ...others] = taken;
    const shown = [first, median(others), Math.max(...others)].map((ms) => `${ms.toFixed(0)} ms`);
    console.log(`| ${name} | ${shown.join(' | ')} | ${(bytes / 1_000).toFixed(0)} |`);
  }
  await assertOldestFirst(url);
} finally {
  for (const stop of stops.toReversed()) await stop();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Calls `work` with 1 to `count`, several at once. */
async function each(count: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    for (let n = (next += 1); n <= count; n = next += 1) await work(n);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

async function startRuns(client: Client): Promise<string[]> {
  const runIds: string[] = [];
  await each(RUNS, async (n) => {
    const at = askedAt(n);
    const question = {
      step: STEP,
      kind: 'approval',
      round: 1,
      tool: 'issue_refund',
      summary: `refund ${n} EUR`,
      askedAt: at.toISOString(),
      deadline: new Date(at.getTime() + 30 * 86_400_000).toISOString(),
      otherwise: 'deny',
      worker: null,
      claimedAt: null,
      error: null,
    };
    const handle = await client.workflow.start(AGENT_RUN, {
      workflowId: idOf(n),
      taskQueue: 'nobody',
      memo: { waiting: [question] },
      typedSearchAttributes: [
        { key: defineSearchAttributeKey('AgentName', 'KEYWORD'), value: 'support' },
        { key: defineSearchAttributeKey('AgentTenant', 'KEYWORD'), value: 'default' },
        { key: defineSearchAttributeKey('AgentStatus', 'KEYWORD'), value: 'waiting' },
      ],
    });
    runIds[n] = handle.firstExecutionRunId;
    if (n > WAITING) await handle.terminate('for the benchmark');
  });
  return runIds;
}

/** What these runs have in the ledger: a turn each, and a question, which half of the ended ones left. */
async function fillLedger(url: string, runIds: readonly string[]): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const rows = runIds.flatMap((runId, n) => [[runId, n, askedAt(n)] as const]);
    const values = [rows.map(([id]) => id), rows.map(([, n]) => n), rows.map(([, , at]) => at)];
    const from = `unnest($1::text[], $2::int[], $3::timestamptz[]) AS r (id, n, at)`;
    const workflowId = `'agent-support-req-' || r.n`;
    await client.query(
      `INSERT INTO agent_once.steps
         (scope, step, turn, kind, name, effect, digest, state, fence, nonce, attempts, run_attempts,
          request, result, result_bytes, workflow_id, run_id, ended_at)
       SELECT r.id, k.step, 1, k.kind, k.name, k.effect, 'd', k.state, k.fence, gen_random_uuid(),
         k.fence, k.fence, '{"order":1042}', k.result, octet_length(k.result), ${workflowId}, r.id, r.at
       FROM ${from}, (VALUES
         ('t1.model', 'model', 'gpt-6-luna', NULL, 'completed', 1, '{"content":null,"calls":[]}'::bytea),
         ('${STEP}', 'tool', 'issue_refund', 'keyed', 'planned', 0, NULL)
       ) AS k (step, kind, name, effect, state, fence, result)`,
      values,
    );
    await client.query(
      `INSERT INTO agent_once.questions
         (scope, step, kind, round, digest, valid_ms, workflow_id, run_id, asked_at,
          decision, decided_by, decided_at)
       SELECT r.id, '${STEP}', 'approval', 1, 'd', 86400000, ${workflowId}, r.id, r.at,
         CASE WHEN d THEN 'deny' END, CASE WHEN d THEN 'ann' END, CASE WHEN d THEN r.at END
       FROM ${from}, LATERAL (SELECT r.n > ${WAITING} AND r.n % 2 = 0 AS d) AS decided`,
      values,
    );
    await client.query('VACUUM (ANALYZE)');
  } finally {
    await client.end();
  }
}

/** Temporal's list lags behind. */
async function untilListed(client: Client): Promise<void> {
  const query = `AgentStatus = 'waiting' AND ExecutionStatus = 'Running'`;
  while ((await client.workflow.count(query)).count !== WAITING) await pause(500);
}

/** The address of the page behind a first one. */
async function nextOf(first: string): Promise<string> {
  const page = await (await fetch(first)).text();
  const next = /href="(\/app\/\w+\?(?:from|before)=[^"]+)"/.exec(page)?.[1];
  if (next === undefined) throw new Error(`${first} has no second page`);
  return next;
}

async function assertOldestFirst(url: string): Promise<void> {
  const page = await (await fetch(`${url}/app/inbox`)).text();
  const shown = [...page.matchAll(/req-(\d+)\/questions/g)].map(([, n]) => Number(n));
  const oldest = Array.from({ length: 50 }, (_, at) => WAITING - at);
  if (shown.join() !== oldest.join())
    throw new Error(`The inbox is not oldest first: ${shown.join()}`);
}
