import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import type { Ledger } from '../../../src/ledger/port.ts';
import { migrate } from '../../../src/ledger/postgres/migrate.ts';
import { grantsFor } from '../../../src/ledger/postgres/rights.ts';
import { createPostgresLedger } from '../../../src/ledger/postgres/postgres-ledger.ts';
import { openLedgerKeeper, openLedgerReader } from '../../../src/ledger/open-ledger.ts';
import {
  createTestDatabase,
  createTestRole,
  queryOnce,
  type TestDatabase,
} from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { describeLedgerContract } from '../../ledger/contract.ts';
import { HOSTILE, makeHostile } from '../../ledger/postgres/hostile-settings.ts';
import { claimed, stepClaim } from '../../ledger/steps.ts';

describeLedgerContract(
  'PostgreSQL with hostile defaults, for a user with the rights of a worker alone,',
  async () => {
    const database = await createTestDatabase();
    const [owner, worker, keeper] = await Promise.all([
      createTestRole(database),
      createTestRole(database),
      createTestRole(database),
    ]);
    const name = new URL(database.url).pathname.slice(1);
    await queryOnce(database.url, `GRANT CREATE ON DATABASE ${name} TO ${owner.name}`);
    await makeHostile(database);
    await migrate(owner.url, [{ user: 'worker', role: worker.name }]);
    const grants = grantsFor('keeper', keeper.name).join(' ');
    await queryOnce(owner.url, `BEGIN READ WRITE; ${grants} COMMIT`);
    return {
      open: () => createPostgresLedger(worker.url),
      openKeeper: () => openLedgerKeeper(keeper.url),
      drop: async () => {
        await database.drop();
        await Promise.all([owner.drop(), worker.drop(), keeper.drop()]);
      },
    };
  },
);

describe('a database with another default for', () => {
  const databases: TestDatabase[] = [];
  afterAll(() => Promise.all(databases.map((database) => database.drop())));

  test.each(HOSTILE)('%s = %s changes nothing for the ledger', async (...setting) => {
    const database = await createTestDatabase({ name: 'ledger_template', prepare: migrate });
    databases.push(database);
    await makeHostile(database, [setting]);
    const ledger = await createPostgresLedger(database.url);
    try {
      await useAll(ledger, database.url);
    } finally {
      await ledger.close();
    }
  });
});

describe('a database with limits of its own', () => {
  let database: TestDatabase;
  let ledger: Ledger;
  beforeAll(async () => {
    database = await createTestDatabase({ name: 'ledger_template', prepare: migrate });
    // Which of them a commit would be under that writes to the ledger.
    await queryOnce(
      database.url,
      `CREATE TABLE public.seen (setting text);
       CREATE FUNCTION public.see() RETURNS trigger LANGUAGE plpgsql AS
         'BEGIN INSERT INTO public.seen VALUES (current_setting(''synchronous_commit'')); RETURN NULL; END';
       CREATE TRIGGER see AFTER INSERT OR UPDATE ON agent_once.steps EXECUTE FUNCTION public.see();
       CREATE TRIGGER see AFTER INSERT OR UPDATE ON agent_once.questions EXECUTE FUNCTION public.see()`,
    );
    await makeHostile(database, [...HOSTILE, ['statement_timeout', `'200ms'`]]);
    ledger = await createPostgresLedger(database.url);
  });
  afterAll(async () => {
    await (ledger as Ledger | undefined)?.close();
    await (database as TestDatabase | undefined)?.drop();
  });

  test('lets a claim wait for a row as long as the ledger says', async () => {
    const step = stepClaim();
    await claimed(ledger, step);
    const holder = new pg.Client(database.url);
    await holder.connect();
    try {
      await holder.query(
        `SET search_path = pg_catalog; SET statement_timeout = 0;
         SET idle_in_transaction_session_timeout = 0; BEGIN READ WRITE`,
      );
      await holder.query('SELECT FROM agent_once.steps WHERE step = $1 FOR UPDATE', [step.step]);
      const again = ledger.claim(step);
      again.catch(() => {});
      await eventually(async () => {
        const { rowCount } = await holder.query(
          `SELECT FROM pg_stat_activity WHERE datname = current_database()
           AND wait_event_type = 'Lock' AND query_start < clock_timestamp() - interval '300 ms'`,
        );
        expect(rowCount).toBe(1);
      });
      await holder.query('COMMIT');
      expect(await again).toMatchObject({ state: 'claimed' });
    } finally {
      await holder.end();
    }
  });

  test('commits to the disk whatever the ledger writes', async () => {
    await useAll(ledger, database.url);
    const seen = await queryOnce(database.url, 'SELECT DISTINCT setting FROM public.seen');
    expect(seen).toEqual([{ setting: 'on' }]);
  });
});

/** One of everything that the ledger writes and reads. */
async function useAll(ledger: Ledger, url: string): Promise<void> {
  const now = expect.stringMatching(/^20[2-9]\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const step = stepClaim({ step: 't1.model', kind: 'model', request: { text: 'über €\\' } });
  const { scope } = step;
  const claim = await claimed(ledger, step);
  const usage = { inputTokens: 7, outputTokens: 8, costUsd: 0.123456789 };
  await ledger.complete(claim, { result: 'Grüße', usage });

  const effect = stepClaim({ scope, effect: 'transactional' });
  const inTransaction = await claimed(ledger, effect);
  await ledger.transact(inTransaction, async (tx) => {
    const { rows } = await tx.query<{ at: Date; text: string }>(
      `SELECT timestamptz '2026-01-02 03:04:05+00' AS at, 'über €' AS text`,
    );
    expect(rows[0]).toEqual({ at: new Date('2026-01-02T03:04:05Z'), text: 'über €' });
    return { result: 'written' };
  });

  await ledger.ask({
    scope,
    step: 't1.c1',
    kind: 'approval',
    digest: 'd',
    fence: null,
    validMs: 60_000,
    workflowId: step.workflowId,
    runId: step.runId,
  });
  const answer = { step: 't1.c1', decision: 'approve', by: 'jörg', comment: '€' } as const;
  expect(await ledger.decide(scope, answer)).toMatchObject({ outcome: 'recorded', decidedAt: now });
  expect(await ledger.questions(scope)).toMatchObject([
    { by: 'jörg', comment: '€', askedAt: now, decidedAt: now },
  ]);

  const reader = await openLedgerReader(url);
  try {
    expect(await reader.steps(scope)).toMatchObject([
      { request: step.request, result: 'Grüße', costUsd: 0.123456789, claimedAt: now },
      { result: 'written', claimedAt: now, endedAt: now },
    ]);
  } finally {
    await reader.close();
  }
  const old = await ledger.cleaner?.oldScopes({ olderThanMs: -60_000, after: null, limit: 10 });
  expect(old?.scopes.map((each) => each.scope)).toEqual([scope]);
  const cursor = old?.scopes[0]?.cursor ?? null;
  const rest = await ledger.cleaner?.oldScopes({ olderThanMs: -60_000, after: cursor, limit: 10 });
  expect(rest?.scopes).toEqual([]);
}
