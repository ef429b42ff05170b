import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import type { Ledger } from '../../src/ledger/port.ts';
import { Database } from '../../src/ledger/postgres/database.ts';
import { migrate } from '../../src/ledger/postgres/migrate.ts';
import { createPostgresLedger } from '../../src/ledger/postgres/postgres-ledger.ts';
import { whyNotClaimed } from '../../src/ledger/postgres/why-not-claimed.ts';
import { openLedgerKeeper } from '../../src/ledger/open-ledger.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { describeLedgerContract } from './contract.ts';
import { claimed, plannedStep, stepClaim } from './steps.ts';

const TEMPLATE = { name: 'ledger_template', prepare: migrate };

describeLedgerContract('PostgreSQL', async () => {
  const database = await createTestDatabase(TEMPLATE);
  return {
    open: () => createPostgresLedger(database.url),
    openKeeper: () => openLedgerKeeper(database.url),
    drop: () => database.drop(),
  };
});

describe('the ledger in PostgreSQL', () => {
  let database: TestDatabase | undefined;
  let ledger: Ledger;
  let sql: pg.Client;
  beforeAll(async () => {
    database = await createTestDatabase(TEMPLATE);
    ledger = await createPostgresLedger(database.url);
    sql = new pg.Client(database.url);
    await sql.connect();
  });
  afterAll(async () => {
    await ledger?.close();
    await sql?.end();
    await database?.drop();
  });

  test('that cannot record an approval does not change the arguments either', async () => {
    const model = stepClaim({ step: 't1.model', kind: 'model', effect: null });
    const { scope, workflowId, runId } = model;
    const planned = [plannedStep(0)];
    await ledger.complete(await claimed(ledger, model), { result: 1, planned });
    const about = { scope, step: 't1.c0', digest: 'a'.repeat(64), fence: null, validMs: 1e6 };
    await ledger.ask({ ...about, kind: 'approval', workflowId, runId });
    const answer = { step: 't1.c0', decision: 'approve', by: 'ann' } as const;
    const edited = { digest: 'b'.repeat(64), request: { order: 1 } };
    // The transaction breaks off between its two changes.
    await sql.query(`
      CREATE FUNCTION pg_temp.break_off() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'broken off' USING ERRCODE = '57014'; END $$;
      CREATE TRIGGER break_off BEFORE UPDATE ON agent_once.questions
        FOR EACH ROW EXECUTE FUNCTION pg_temp.break_off()`);
    await expect(ledger.decide(scope, { ...answer, edited })).rejects.toThrow();
    await sql.query('DROP TRIGGER break_off ON agent_once.questions');
    expect(await ledger.step(scope, 't1.c0')).toMatchObject({
      digest: about.digest,
      request: planned[0]?.request,
      askedDigest: null,
    });
    expect(await ledger.questions(scope)).toMatchObject([{ decision: null }]);
    await ledger.decide(scope, { ...answer, edited });
    expect(await ledger.step(scope, 't1.c0')).toMatchObject(edited);
  });

  test('keeps large payloads compressed and small ones readable', async () => {
    const text = 'lorem ipsum '.repeat(100_000);
    const big = await claimed(ledger, stepClaim({ request: text }));
    await ledger.complete(big, { result: text });
    const small = await claimed(ledger, stepClaim());
    await ledger.complete(small, { result: { ok: true } });
    const { rows } = await sql.query(
      `SELECT octet_length(request) AS request, octet_length(result) AS result, result_bytes
       FROM agent_once.steps WHERE scope = $1`,
      [big.scope],
    );
    expect(rows[0].result_bytes).toBe(1_200_002);
    expect(rows[0].result).toBeLessThan(20_000);
    expect(rows[0].request).toBe(rows[0].result);
    const readable = await sql.query(
      `SELECT convert_from(result, 'UTF8') AS result FROM agent_once.steps WHERE scope = $1`,
      [small.scope],
    );
    expect(readable.rows).toEqual([{ result: '{"ok":true}' }]);
  });

  test('finds no reason for a refusal that a person has ended since', async () => {
    const database = await createTestDatabase(TEMPLATE);
    const keeper = await openLedgerKeeper(database.url);
    const connections = new Database(database.url);
    const { id } = await keeper.identity();
    const seen = { ledger: id } as const;
    const other = { ledger: randomUUID() } as const;
    await keeper.acceptRestore();
    expect(await whyNotClaimed(connections, stepClaim({ seen }))).toBeUndefined();
    expect(await whyNotClaimed(connections, stepClaim({ seen: other }))).toMatchObject({
      state: 'restored',
      lacks: 'all',
    });
    await connections.close();
    await keeper.close();
    await database.drop();
  });

  test('says "unreachable" instead of waiting for a row that somebody has locked', async () => {
    const step = stepClaim();
    const claim = await claimed(ledger, step);
    await sql.query('BEGIN');
    try {
      await sql.query('SELECT FROM agent_once.steps WHERE scope = $1 FOR UPDATE', [claim.scope]);
      await expect(ledger.claim(step)).rejects.toMatchObject({
        code: 'ledger.unreachable',
        cause: { code: '55P03' },
      });
    } finally {
      await sql.query('ROLLBACK');
    }
    expect((await ledger.claim(step)).state).toBe('claimed');
  });
});
