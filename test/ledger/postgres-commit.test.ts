import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import type { Transaction } from '../../src/contract/transaction.ts';
import type { Claim, Ledger } from '../../src/ledger/port.ts';
import { migrate } from '../../src/ledger/postgres/migrate.ts';
import { createPostgresLedger } from '../../src/ledger/postgres/postgres-ledger.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { again, claimed, stepClaim } from './steps.ts';

/** A trigger holds commits up for as long as the test holds this advisory lock. */
const GATE = 4711;

describe('a transactional step in the middle of its commit', () => {
  let database: TestDatabase | undefined;
  let ledger: Ledger;
  let sql: pg.Client;
  beforeAll(async () => {
    database = await createTestDatabase({ name: 'ledger_template', prepare: migrate });
    ledger = await createPostgresLedger(database.url);
    sql = new pg.Client(database.url);
    await sql.connect();
    await sql.query(`
      CREATE TABLE notes (note text);
      CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_advisory_xact_lock(${GATE}); RETURN NULL; END';
      CREATE CONSTRAINT TRIGGER gate AFTER INSERT ON notes DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION wait_at_gate()`);
  });
  afterAll(async () => {
    await ledger?.close();
    await sql?.end();
    await database?.drop();
  });

  const step = () => stepClaim({ effect: 'transactional' });
  const work = async (tx: Transaction) => {
    await tx.query(`INSERT INTO notes VALUES ('written')`);
    return { result: 'of the transaction' };
  };
  const openGate = () => sql.query(`SELECT pg_advisory_unlock_all()`);
  beforeEach(async () => {
    await openGate();
    await sql.query(`TRUNCATE notes; SELECT pg_advisory_lock(${GATE})`);
  });

  test('that loses its connection is unreachable: the caller learns by claiming', async () => {
    const { run, claim, pid } = await heldCommit();
    await sql.query('SELECT pg_terminate_backend($1)', [pid]);
    await expect(run).rejects.toMatchObject({ code: 'ledger.unreachable' });
    expect(await ledger.step(claim.scope, claim.step)).toMatchObject({ state: 'claimed' });
    expect((await sql.query('SELECT FROM notes')).rowCount).toBe(0);
  });

  test('is waited for by a completion under the same fence, which then finds it', async () => {
    const { run, claim } = await heldCommit();
    const twin = ledger.complete(claim, { result: 'of the twin' });
    await waitingForRow();
    await openGate();
    expect(await Promise.all([run, twin])).toEqual([true, 'recorded']);
    expect(await ledger.step(claim.scope, claim.step)).toMatchObject({
      result: 'of the transaction',
    });
  });

  test('is waited for by a claim, which brings its result', async () => {
    const { run, wanted } = await heldCommit();
    const answer = ledger.claim(again(wanted));
    await waitingForRow();
    await openGate();
    expect(await run).toBe(true);
    expect(await answer).toMatchObject({
      state: 'completed',
      record: { result: 'of the transaction' },
    });
  });

  async function heldCommit() {
    const wanted = step();
    const claim: Claim = await claimed(ledger, wanted);
    const run = ledger.transact(claim, work);
    run.catch(() => {});
    const pid = await backend(`wait_event = 'advisory' AND query LIKE 'COMMIT%'`);
    return { wanted, claim, run, pid };
  }

  const waitingForRow = () => backend(`wait_event_type = 'Lock' AND wait_event <> 'advisory'`);

  function backend(condition: string): Promise<number> {
    return eventually(async () => {
      const { rows } = await sql.query<{ pid: number }>(
        `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND ${condition}`,
      );
      if (rows[0] === undefined) throw new Error(`no backend where ${condition}`);
      return rows[0].pid;
    });
  }
});
