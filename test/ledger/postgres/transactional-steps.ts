import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import type { Transaction } from '../../../src/contract/transaction.ts';
import type { Completion, Ledger } from '../../../src/ledger/port.ts';
import { migrate } from '../../../src/ledger/postgres/migrate.ts';
import { createPostgresLedger } from '../../../src/ledger/postgres/postgres-ledger.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { abandoned, again, claimed, granted, stepClaim } from '../steps.ts';

const IDLE = /idle for longer than its lease of 100 ms/;

/**
 * What a step promises whose effect commits with its record.
 *
 * @param way to the database from its own address: through a pooler
 */
export function describeTransactionalSteps(
  name = '',
  way: (url: string) => string = (url) => url,
): void {
  describe(`a transactional step${name}`, () => {
    let database: TestDatabase | undefined;
    let ledger: Ledger;
    let sql: pg.Client;
    beforeAll(async () => {
      database = await createTestDatabase({ name: 'ledger_template', prepare: migrate });
      ledger = await createPostgresLedger(way(database.url), { poolSize: 2 });
      sql = new pg.Client(database.url);
      await sql.connect();
      await sql.query('CREATE TABLE notes (note text PRIMARY KEY)');
    });
    afterAll(async () => {
      await ledger?.close();
      await sql?.end();
      await database?.drop();
    });
    beforeEach(async () => {
      await sql.query('TRUNCATE notes');
    });

    const transactional = (change: Parameters<typeof stepClaim>[0] = {}) =>
      stepClaim({ effect: 'transactional', ...change });
    const note = async (tx: Transaction, text = 'written'): Promise<Completion> => {
      await tx.query('INSERT INTO notes VALUES ($1)', [text]);
      return { result: text };
    };
    const notes = async () => (await sql.query('SELECT note FROM notes')).rows.map((r) => r.note);
    const stateOf = async ({ scope, step }: { scope: string; step: string }) =>
      (await ledger.step(scope, step))?.state;

    test('commits effect and record together', async () => {
      const claim = await claimed(ledger, transactional());
      expect(await ledger.transact(claim, (tx) => note(tx))).toBe(true);
      expect(await notes()).toEqual(['written']);
      expect(await ledger.step(claim.scope, claim.step)).toMatchObject({
        state: 'completed',
        result: 'written',
      });
    });

    test('that throws leaves neither, and its error is thrown as it is', async () => {
      const claim = await claimed(ledger, transactional());
      const error = new Error('the tool changed its mind');
      const run = ledger.transact(claim, async (tx) => {
        await note(tx);
        throw error;
      });
      await expect(run).rejects.toBe(error);
      expect(await notes()).toEqual([]);
      expect(await stateOf(claim)).toBe('claimed');
      expect(await ledger.transact(claim, (tx) => note(tx))).toBe(true);
    });

    test('whose claim was taken over leaves neither', async () => {
      const step = transactional();
      const old = await abandoned(ledger, step);
      const taken = await claimed(ledger, again(step));
      expect(await ledger.transact({ ...old, leaseMs: 60_000 }, (tx) => note(tx, 'old'))).toBe(
        false,
      );
      expect(await notes()).toEqual([]);
      expect(await ledger.transact(taken, (tx) => note(tx, 'new'))).toBe(true);
      expect(await notes()).toEqual(['new']);
    });

    test('that is overtaken while it works leaves nothing, and blocks nobody meanwhile', async () => {
      const step = transactional();
      const old = await abandoned(ledger, step);
      const run = ledger.transact({ ...old, leaseMs: 60_000 }, async (tx) => {
        const completion = await note(tx, 'old');
        // The open transaction holds no lock on the step: another worker gets its answer at once.
        const answer = granted(await ledger.claim(again(step)));
        expect(answer.claim.fence).toBe('2');
        return completion;
      });
      expect(await run).toBe(false);
      expect(await notes()).toEqual([]);
      expect(await stateOf(step)).toBe('claimed');
    });

    test('keeps its lease renewable while all connections for transactions are in use', async () => {
      const claims = await Promise.all([1, 2, 3].map(() => claimed(ledger, transactional())));
      const runs = claims.map((claim, i) =>
        ledger.transact(claim, async (tx) => {
          await note(tx, `note ${i}`);
          expect(await Promise.all(claims.map((each) => ledger.renew(each)))).toEqual([
            true,
            true,
            true,
          ]);
          return { result: i };
        }),
      );
      expect(await Promise.all(runs)).toEqual([true, true, true]);
      expect(await notes()).toHaveLength(3);
    });

    test('that is repeated after its commit is true and writes its effect once', async () => {
      const claim = await claimed(ledger, transactional());
      await ledger.transact(claim, (tx) => note(tx));
      expect(await ledger.transact(claim, async () => ({ result: 'other' }))).toBe(true);
      expect(await ledger.step(claim.scope, claim.step)).toMatchObject({ result: 'written' });
    });

    test('cannot use its transaction after the end', async () => {
      const claim = await claimed(ledger, transactional());
      let kept: Transaction | undefined;
      await ledger.transact(claim, async (tx) => {
        kept = tx;
        return { result: 1 };
      });
      await expect(kept?.query('SELECT 1')).rejects.toThrow(/has ended/);
    });

    test('may send queries without waiting for each: they run in its transaction', async () => {
      const claim = await claimed(ledger, transactional());
      const run = ledger.transact(claim, async (tx) => {
        void tx.query(`INSERT INTO notes VALUES ('forgotten')`);
        await Promise.all([note(tx, 'a'), note(tx, 'b')]);
        void tx.query(`INSERT INTO notes SELECT 'slow' FROM pg_sleep(0.2)`);
        return { result: 1 };
      });
      expect(await run).toBe(true);
      expect(new Set(await notes())).toEqual(new Set(['a', 'b', 'forgotten', 'slow']));
    });

    test('that swallows an error of the database fails with that error', async () => {
      const claim = await claimed(ledger, transactional());
      const run = ledger.transact(claim, async (tx) => {
        await note(tx);
        await tx.query('SELECT * FROM no_such_table').catch(() => {});
        return { result: 1 };
      });
      await expect(run).rejects.toMatchObject({ code: '42P01' });
      expect(await notes()).toEqual([]);
      expect(await stateOf(claim)).toBe('claimed');
    });

    test.each(['COMMIT', 'ROLLBACK', 'COMMIT; BEGIN'])(
      'that says %s is told not to',
      async (end) => {
        const claim = await claimed(ledger, transactional());
        const run = ledger.transact(claim, async (tx) => {
          await tx.query(end);
          return { result: 1 };
        });
        await expect(run).rejects.toMatchObject({ code: 'tool.failed' });
        expect(await stateOf(claim)).toBe('claimed');
      },
    );

    test('that breaks a deferred constraint fails at its commit, with nothing recorded', async () => {
      await sql.query(
        `CREATE TABLE replies (note text REFERENCES notes DEFERRABLE INITIALLY DEFERRED)`,
      );
      const claim = await claimed(ledger, transactional());
      const run = ledger.transact(claim, async (tx) => {
        await tx.query(`INSERT INTO replies VALUES ('to nothing')`);
        return { result: 1 };
      });
      await expect(run).rejects.toMatchObject({ code: '23503' });
      expect(await stateOf(claim)).toBe('claimed');
      await sql.query('DROP TABLE replies');
    });

    test('that idles longer than its lease is rolled back by the database', async () => {
      // A pooler may have closed the connection before its last words are read.
      const whyEnded = name === '' ? IDLE : new RegExp(`${IDLE.source}|The connection broke off`);
      const claim = await claimed(ledger, transactional({ leaseMs: 100 }));
      const run = ledger.transact(claim, async (tx) => {
        await note(tx);
        const { rows } = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
        await backendGone(rows[0]?.pid ?? 0);
        return { result: 1 };
      });
      await expect(run).rejects.toThrow(whyEnded);
      expect(await notes()).toEqual([]);
    });

    test('whose connection is cut is unreachable, and runs again', async () => {
      const claim = await claimed(ledger, transactional());
      const run = ledger.transact(claim, async (tx) => {
        await note(tx);
        const { rows } = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
        await sql.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
        await backendGone(rows[0]?.pid ?? 0);
        return note(tx, 'more');
      });
      await expect(run).rejects.toMatchObject({ code: 'ledger.unreachable' });
      expect(await notes()).toEqual([]);
      expect(await ledger.transact(claim, (tx) => note(tx))).toBe(true);
    });

    test('whose caller gives up has its query ended, and nobody else has', async () => {
      const claim = await claimed(ledger, transactional());
      const stop = new AbortController();
      const run = ledger.transact(
        claim,
        async (tx) => {
          const { rows } = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
          const slow = tx.query('SELECT pg_sleep(600)');
          await eventually(async () => {
            const { rowCount } = await sql.query(
              `SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'`,
              [rows[0]?.pid],
            );
            expect(rowCount).toBe(1);
          });
          stop.abort();
          await slow;
          return { result: 1 };
        },
        stop.signal,
      );
      await expect(run).rejects.toMatchObject({ code: '57014' });
      expect(await ledger.transact(claim, (tx) => note(tx))).toBe(true);
    });

    test('whose caller gives up before it has a connection sends no query', async () => {
      const small = await createPostgresLedger(way(database?.url ?? ''), { poolSize: 1 });
      try {
        const claims = [
          await claimed(small, transactional()),
          await claimed(small, transactional()),
        ] as const;
        let free: ((completion: Completion) => void) | undefined;
        const holder = small.transact(claims[0], () => new Promise((resolve) => (free = resolve)));
        await eventually(() => expect(free).toBeDefined());
        const stop = new AbortController();
        const run = small.transact(claims[1], (tx) => note(tx), stop.signal);
        stop.abort(new Error('cancelled'));
        free?.({ result: 'held' });
        await expect(run).rejects.toThrow('cancelled');
        expect(await holder).toBe(true);
        expect(await notes()).toEqual([]);
        expect(await small.transact(claims[1], (tx) => note(tx))).toBe(true);
      } finally {
        await small.close();
      }
    });

    test('leaves no setting of its connection to the next one', async () => {
      const small = await createPostgresLedger(way(database?.url ?? ''), { poolSize: 1 });
      try {
        await small.transact(await claimed(small, transactional()), async (tx) => {
          await tx.query(`SET search_path TO nowhere`);
          return { result: 1 };
        });
        const claim = await claimed(small, transactional());
        expect(await small.transact(claim, (tx) => note(tx))).toBe(true);
      } finally {
        await small.close();
      }
    });

    async function backendGone(pid: number): Promise<void> {
      await eventually(async () => {
        const { rowCount } = await sql.query('SELECT FROM pg_stat_activity WHERE pid = $1', [pid]);
        expect(rowCount).toBe(0);
      });
    }
  });
}
