import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { Transcripts } from '../../src/activities/model/transcripts.ts';
import type { EarlierStep, Ledger } from '../../src/ledger/port.ts';
import { createPostgresLedger } from '../../src/ledger/postgres/postgres-ledger.ts';
import { granted, plannedStep, stepClaim } from '../ledger/steps.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let sql: pg.Pool;
let real: Ledger;
/** The real one, which says from which turn on it was asked for the steps before one. */
let ledger: Ledger;
let reads: number[] = [];
let scope: string;
let transcripts: Transcripts;

beforeAll(async () => {
  database = await createTestDatabase();
  sql = new pg.Pool({ connectionString: database.url, max: 1 });
  // A pool has ended before its connections have: removing the database may break one of them.
  sql.on('error', () => {});
  real = await createPostgresLedger(database.url);
  ledger = {
    ...real,
    earlier(of, before, from = 1) {
      reads.push(from);
      return real.earlier(of, before, from);
    },
  };
});
afterAll(async () => {
  await Promise.all([real?.close(), sql?.end()]);
  await database?.drop();
});
beforeEach(() => {
  reads = [];
  scope = randomUUID();
  transcripts = new Transcripts();
});

/** Records a step as an attempt of this or of another process does. */
async function record(step: string, result: object): Promise<EarlierStep> {
  const turn = Number(step[1]);
  const isModel = step.endsWith('.model');
  const kind = isModel ? ({ kind: 'model', effect: null } as const) : {};
  const claim = stepClaim({ scope, step, turn, ...kind });
  const planned = isModel
    ? [plannedStep(0, { turn, step: `t${turn}.c0`, digest: claim.digest })]
    : [];
  const answer = granted(await real.claim(claim));
  await real.complete(answer.claim, { result: result as never, planned });
  const { digest, nonce } = claim;
  return { step, state: 'completed', digest, request: null, result: result as never, nonce };
}

const ANSWER = { planned: [{ index: 0 }] };

/** What a claim of the model step of turn `turn` says of the turns before it. */
async function held(turn: number): Promise<string | undefined> {
  const step = { scope, turn, step: `t${turn}.model`, kind: 'model', effect: null } as const;
  const { claim, before } = granted(await real.claim(stepClaim(step)));
  await real.fail(claim, { code: 'model.bad_answer', message: 'given back' });
  return before;
}

/** As a restore of an earlier state does. */
async function remove(step: string): Promise<void> {
  await sql.query('DELETE FROM agent_once.steps WHERE scope = $1 AND step = $2', [scope, step]);
}

function names(steps: readonly EarlierStep[]): string[] {
  return steps.map(({ step }) => step);
}

test('a model step reads nothing of turns that this process has recorded', async () => {
  transcripts.keep(scope, [await record('t1.model', ANSWER)]);
  transcripts.keep(scope, [await record('t1.c0', { found: 1 })]);
  const steps = await transcripts.before(ledger, scope, 2)(await held(2));
  expect(steps.map(({ result }) => result)).toEqual([ANSWER, { found: 1 }]);
  expect(reads).toEqual([]);
});

test('it reads what another process has recorded, and each turn once', async () => {
  transcripts.keep(scope, [await record('t1.model', ANSWER)]);
  await record('t1.c0', { found: 1 });
  const first = await transcripts.before(ledger, scope, 2)(await held(2));
  expect(names(first)).toEqual(['t1.model', 't1.c0']);
  await record('t2.model', ANSWER);
  await record('t2.c0', { found: 2 });
  const second = await transcripts.before(ledger, scope, 3)(await held(3));
  expect(names(second)).toEqual(['t1.model', 't1.c0', 't2.model', 't2.c0']);
  expect(reads).toEqual([1, 2]);
});

test('what is known is not used where the ledger holds something else by now', async () => {
  transcripts.keep(scope, [await record('t1.model', ANSWER)]);
  transcripts.keep(scope, [await record('t1.c0', { found: 'then' })]);
  // An earlier state was restored, and another process went on from there.
  await remove('t1.c0');
  await record('t1.c0', { found: 'now' });
  const steps = await transcripts.before(ledger, scope, 2)(await held(2));
  expect(steps.at(-1)?.result).toEqual({ found: 'now' });
  expect(reads).toEqual([1]);
});

test('a step that the ledger has lost is not known either', async () => {
  transcripts.keep(scope, [await record('t1.model', ANSWER)]);
  transcripts.keep(scope, [await record('t1.c0', { found: 1 })]);
  await remove('t1.c0');
  const steps = await transcripts.before(ledger, scope, 2)(await held(2));
  expect(names(steps)).toEqual(['t1.model']);
});

test('nothing is kept of a ledger whose claims do not say what it holds', async () => {
  await record('t1.model', ANSWER);
  await transcripts.before(ledger, scope, 2)(undefined);
  expect(transcripts.has(scope)).toBe(false);
});

test('a call is known to have been planned here a moment ago, and no other', async () => {
  transcripts.answered(scope, 1, await record('t1.model', ANSWER));
  expect(transcripts.answeredAt(scope, 1)).toEqual(expect.any(Number));
  expect(transcripts.answeredAt(scope, 2)).toBeUndefined();
  // What was read may have been planned long ago.
  const other = new Transcripts();
  await record('t1.c0', { found: 1 });
  await other.before(ledger, scope, 2)(await held(2));
  expect(other.has(scope)).toBe(true);
  expect(other.answeredAt(scope, 1)).toBeUndefined();
});

test('of many long runs those are known that were asked for last', () => {
  const long = { planned: [], text: 'x'.repeat(1024 * 1024) };
  const step = { step: 't1.model', state: 'completed', digest: '', request: null } as const;
  for (let run = 1; run <= 40; run += 1)
    transcripts.keep(`run-${run}`, [{ ...step, result: long }]);
  expect(transcripts.has('run-1')).toBe(false);
  expect(transcripts.has('run-40')).toBe(true);
  transcripts.forget('run-40');
  expect(transcripts.has('run-40')).toBe(false);
});
