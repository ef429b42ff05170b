import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openLedger } from '../../../ledger/open-ledger.ts';
import { runCommand } from '../../../../test/support/cli.ts';
import {
  createTestDatabase,
  queryOnce,
  type TestDatabase,
} from '../../../../test/support/database.ts';
import { postgresUrl } from '../../../../test/support/servers.ts';
import { claimed, stepClaim } from '../../../../test/ledger/steps.ts';

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
  await addStep(database.url);
});
afterEach(() => database.drop());

async function addStep(url: string): Promise<void> {
  const ledger = await openLedger(url);
  await ledger.complete(await claimed(ledger, stepClaim()), { result: 1 });
  await ledger.close();
}

async function ledger(args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await runCommand(['ledger', ...args, '--json'], {
    LEDGER_URL: database.url,
    ...env,
  });
  return { code, stderr, json: JSON.parse(stdout) as Record<string, unknown> };
}

/** A copy as `pg_dump` and `pg_restore` make it: nobody is connected to the old one. */
async function copied(): Promise<TestDatabase> {
  const name = new URL(database.url).pathname.slice(1);
  const url = new URL(database.url);
  url.pathname = `/copy_${randomUUID().replaceAll('-', '')}`;
  const copy = url.pathname.slice(1);
  await queryOnce(postgresUrl(), `CREATE DATABASE ${copy} TEMPLATE ${name}`);
  return {
    url: url.href,
    drop: async () => void (await queryOnce(postgresUrl(), `DROP DATABASE ${copy} WITH (FORCE)`)),
  };
}

test('shows who the ledger is and what it holds', async () => {
  expect(await ledger(['show'])).toMatchObject({
    code: 0,
    json: {
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      standsInFor: [],
      closedAt: null,
      steps: 1,
    },
  });
  const { stdout } = await runCommand(['ledger', 'show'], { LEDGER_URL: database.url });
  expect(stdout).toMatch(/^ledger {2}[0-9a-f-]{36}\nholds {3}1 step, the last change at .*Z\n$/);
});

test('accepts a restore only when somebody says yes', async () => {
  const before = (await ledger(['show'])).json;
  const refused = { code: 2, stderr: expect.stringContaining('Nothing was changed') };
  expect(await ledger(['accept-restore'])).toMatchObject(refused);
  expect(await ledger(['accept-restore', '--yes', '--lost', 'abc'])).toMatchObject(refused);
  expect((await ledger(['show'])).json).toEqual(before);

  const lost = randomUUID();
  const { code, json } = await ledger(['accept-restore', '--yes', '--lost', lost]);
  expect({ code, id: json['id'] === before['id'] }).toEqual({ code: 0, id: false });
  expect(new Set(json['standsInFor'] as string[])).toEqual(new Set([before['id'], lost]));
});

test('closes the old copy of a ledger that was moved, and only then', async () => {
  const copy = await copied();
  const other = await createTestDatabase();
  const move = (to: string) =>
    ledger(['move', '--yes'], { LEDGER_OLD_URL: database.url, LEDGER_URL: to });
  const refused = (why: string) => ({ code: 6, stderr: expect.stringContaining(why) });

  expect(await ledger(['move', '--yes'])).toMatchObject({ code: 2 });
  expect(await move(database.url)).toMatchObject(refused('the same ledger'));
  expect(await move(other.url)).toMatchObject(refused('is no copy'));
  await addStep(database.url);
  expect(await move(copy.url)).toMatchObject(refused('it has 1 step'));
  expect((await ledger(['show'])).json).toMatchObject({ closedAt: null });

  const whole = await copied();
  expect(await move(whole.url)).toMatchObject({ code: 0, json: { closedAt: null, steps: 2 } });
  expect((await ledger(['show'])).json).toMatchObject({ closedAt: expect.any(String) });
  const old = await openLedger(database.url);
  expect(await old.claim(stepClaim())).toMatchObject({ state: 'restored', lacks: 'claims' });
  await old.close();

  // A copy made in between is no reason to open it again.
  expect(await move(copy.url)).toMatchObject(refused('it has 1 step'));
  expect((await ledger(['show'])).json).toMatchObject({ closedAt: expect.any(String) });
  await Promise.all([copy.drop(), whole.drop(), other.drop()]);
});
