import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Ledger } from '../../../src/ledger/port.ts';
import { migrate } from '../../../src/ledger/postgres/migrate.ts';
import { openLedgerKeeper } from '../../../src/ledger/open-ledger.ts';
import { createPostgresLedger } from '../../../src/ledger/postgres/postgres-ledger.ts';
import { describeLedgerContract } from '../../ledger/contract.ts';
import { HOSTILE, makeHostile } from '../../ledger/postgres/hostile-settings.ts';
import { describeTransactionalSteps } from '../../ledger/postgres/transactional-steps.ts';
import { claimed, stepClaim } from '../../ledger/steps.ts';
import { createTestDatabase, queryOnce, type TestDatabase } from '../../support/database.ts';
import { startPgBouncer, type PgBouncer } from '../../support/pgbouncer.ts';

const TEMPLATE = { name: 'ledger_template', prepare: migrate };

describe.each(['transaction', 'session'])('through a PgBouncer with pool_mode = %s', (mode) => {
  let bouncer: PgBouncer;
  beforeAll(async () => {
    // In transaction pooling far fewer than the workers' connections, so that they get each other's.
    const size = mode === 'session' ? '150' : '6';
    bouncer = await startPgBouncer({ pool_mode: mode, default_pool_size: size });
  });
  afterAll(async () => {
    await (bouncer as PgBouncer | undefined)?.stop();
  });

  describeLedgerContract('PostgreSQL', async () => {
    const database = await createTestDatabase(TEMPLATE);
    await makeHostile(database);
    return {
      open: () => createPostgresLedger(bouncer.through(database.url)),
      openKeeper: () => openLedgerKeeper(bouncer.through(database.url)),
      drop: () => database.drop(),
    };
  });

  describeTransactionalSteps('', (url) => bouncer.through(url));

  test('many workers that start at once make each migration once, and leave no lock', async () => {
    const database = await createTestDatabase();
    const url = bouncer.through(database.url);
    try {
      const ledgers = await Promise.all(
        Array.from({ length: 4 }, () => createPostgresLedger(url, { poolSize: 2 })),
      );
      await Promise.all(ledgers.map((ledger) => ledger.close()));
      const twice = 'SELECT name FROM agent_once.migrations GROUP BY name HAVING count(*) > 1';
      expect(await queryOnce(database.url, twice)).toEqual([]);
      const locks = `SELECT FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
        WHERE l.locktype = 'advisory' AND d.datname = current_database()`;
      expect(await queryOnce(database.url, locks)).toEqual([]);
    } finally {
      await database.drop();
    }
  });
});

describe('one session of the server that everybody shares', () => {
  let bouncer: PgBouncer;
  let database: TestDatabase;
  let url: string;
  beforeAll(async () => {
    database = await createTestDatabase(TEMPLATE);
    bouncer = await startPgBouncer({ pool_mode: 'transaction', default_pool_size: '1' });
    url = bouncer.through(database.url);
  });
  afterAll(async () => {
    await (bouncer as PgBouncer | undefined)?.stop();
    await (database as TestDatabase | undefined)?.drop();
  });

  const SETTINGS = [...new Set(HOSTILE.map(([name]) => name)), 'role']
    .map((name) => `current_setting('${name}') AS "${name}"`)
    .join(', ');
  const seenByOthers = async () => [
    await queryOnce(url, `SELECT ${SETTINGS}`),
    await queryOnce(url, 'SELECT name FROM pg_prepared_statements'),
  ];

  const useIt = async (ledger: Ledger) => {
    const claim = await claimed(ledger, stepClaim({ effect: 'transactional' }));
    expect(await ledger.renew(claim)).toBe(true);
    await ledger.decide(claim.scope, { step: 't1.c0', decision: 'approve', by: 'ann' });
    const recorded = ledger.transact(claim, async (tx) => {
      await tx.query('SET search_path TO nowhere');
      await tx.query('SET ROLE pg_read_all_data');
      await tx.query('RESET ROLE');
      return { result: 1 };
    });
    expect(await recorded).toBe(true);
    expect(await ledger.step(claim.scope, claim.step)).toMatchObject({ result: 1 });
  };

  test('finds no setting, role or prepared statement of the ledger in it', async () => {
    const before = await seenByOthers();
    const ledgers = await Promise.all([createPostgresLedger(url), createPostgresLedger(url)]);
    try {
      for (const ledger of [...ledgers, ...ledgers]) await useIt(ledger);
    } finally {
      await Promise.all(ledgers.map((ledger) => ledger.close()));
    }
    expect(await seenByOthers()).toEqual(before);
  });

  test('gives the ledger none of the settings that others leave in it', async () => {
    const ledger = await createPostgresLedger(url);
    try {
      const left = HOSTILE.filter(
        // The pooler keeps these apart by itself.
        ([name]) =>
          !/^(DateStyle|TimeZone|client_encoding|standard_conforming_strings)$/.test(name),
      );
      await queryOnce(url, left.map(([name, value]) => `SET ${name} = ${value};`).join('\n'));
      await useIt(ledger);
    } finally {
      await ledger.close();
      await queryOnce(url, 'RESET ALL');
    }
  });

  test.each(['session', 'transaction-prepared'])(
    'is noticed where the URL says pooling=%s, and nothing is lost',
    async (pooling) => {
      const said = `${url}?pooling=${pooling}`;
      const ledgers = await Promise.all([createPostgresLedger(said), createPostgresLedger(said)]);
      try {
        for (const ledger of [...ledgers, ...ledgers]) await useIt(ledger);
      } finally {
        await Promise.all(ledgers.map((ledger) => ledger.close()));
        await queryOnce(url, 'RESET ALL; DEALLOCATE ALL');
      }
    },
  );
});

test('a PgBouncer that pools single statements is refused, and the cause is named', async () => {
  const database = await createTestDatabase();
  const bouncer = await startPgBouncer({ pool_mode: 'statement' });
  try {
    const url = bouncer.through(database.url);
    for (const open of [() => createPostgresLedger(url), () => migrate(url)]) {
      await expect(open()).rejects.toMatchObject({
        code: 'ledger.invalid',
        message: expect.stringMatching(/pool_mode = statement.*Nothing was changed.*transaction/),
      });
    }
    const made = `SELECT FROM pg_namespace WHERE nspname = 'agent_once'`;
    expect(await queryOnce(database.url, made)).toEqual([]);
  } finally {
    await bouncer.stop();
    await database.drop();
  }
});
