import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  createTestDatabase,
  queryOnce,
  type TestDatabase,
} from '../../../../test/support/database.ts';
import { eventually } from '../../../../test/support/eventually.ts';
import { migrate } from '../../../ledger/postgres/migrate.ts';
import { sinceThen } from '../pages/decided.ts';
import { openQuestionLists, type QuestionLists } from '../question-lists.ts';

let database: TestDatabase;
let lists: QuestionLists;

beforeAll(async () => {
  database = await createTestDatabase({ name: 'ledger_template', prepare: migrate });
  lists = openQuestionLists(database.url) as QuestionLists;
});
afterAll(async () => {
  await lists?.close();
  await database?.drop();
});

/** Adds a question of a run; `decided`: when it was denied. */
async function add(workflowId: string, scope: string, asked: string, decided?: string) {
  const answer = decided === undefined ? 'NULL, NULL, NULL' : `'deny', 'ann', '${decided}'`;
  await queryOnce(
    database.url,
    `INSERT INTO agent_once.questions
       (scope, step, kind, round, digest, valid_ms, workflow_id, run_id, asked_at,
        decision, decided_by, decided_at)
     VALUES ('${scope}', 't1.c0', 'approval', 1, 'd', 1, '${workflowId}', 'r', '${asked}', ${answer})`,
  );
}

async function readAll<T>(
  read: (after: string | undefined) => Promise<{ items: T[]; next: string | undefined }>,
): Promise<T[]> {
  const all: T[] = [];
  let next: string | undefined;
  do {
    const page = await read(next);
    all.push(...page.items);
    next = page.next;
  } while (next !== undefined);
  return all;
}

describe('the lists of questions', () => {
  test('have every question once, also where several have one millisecond, or one moment', async () => {
    const at = (micros: number) => `2026-01-01 00:00:00.${String(500_000 + micros)}Z`;
    for (const n of [0, 1, 2, 3, 4, 5]) {
      await add(`agent-tester-open${n}`, `open${n}`, at(Math.floor(n / 2)));
      await add(`agent-tester-done${n}`, `done${n}`, at(0), at(Math.floor(n / 2)));
    }
    const open = await readAll((after) => lists.open('default', 1, after));
    expect(open.map(({ workflowId }) => workflowId)).toEqual(
      [0, 1, 2, 3, 4, 5].map((n) => `agent-tester-open${n}`),
    );
    const decided = await readAll((after) => lists.decided('default', 1, after));
    expect(decided.map(({ workflowId }) => workflowId)).toEqual(
      [5, 4, 3, 2, 1, 0].map((n) => `agent-tester-done${n}`),
    );
    expect(await lists.countOpen('default')).toBe(6);
  });

  test('have the questions of one tenant, also where a key looks like a tenant of its own', async () => {
    await add('agent-acme.tester-k', 'acme', '2026-01-02Z');
    await add('agent-tester-acme.tester-k', 'mine', '2026-01-03Z', '2026-01-03Z');
    expect(await lists.countOpen('acme')).toBe(1);
    expect(await lists.countOpen('acm')).toBe(0);
    expect((await lists.open('acme', 9)).items).toMatchObject([
      { workflowId: 'agent-acme.tester-k' },
    ]);
    expect((await lists.decided('acme', 9)).items).toEqual([]);
    const [latest] = (await lists.decided('default', 1)).items;
    expect(latest?.workflowId).toBe('agent-tester-acme.tester-k');
  });

  test('take for a position only what they have made', async () => {
    const of = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const time = '2026-01-01T00:00:00.000000Z';
    for (const position of [
      'yesterday',
      of(null),
      of([time, 's', 't1.c0', 'approval']),
      of(['infinity', 's', 't1.c0', 'approval', 1]),
      of(['2026-13-01T00:00:00.000000Z', 's', 't1.c0', 'approval', 1]),
      of([time, '\0', 't1.c0', 'approval', 1]),
      of([time, 's', 't1.c0', 'approval', 3e9]),
    ]) {
      const read = async () => lists.open('default', 1, position);
      await expect(read()).rejects.toMatchObject({ code: 'http.bad_request' });
    }
  });

  test('are read by their indexes', async () => {
    await queryOnce(
      database.url,
      `INSERT INTO agent_once.questions
         (scope, step, kind, round, digest, valid_ms, workflow_id, run_id, asked_at,
          decision, decided_by, decided_at)
       SELECT n || coalesce(d, ''), 't1.c0', 'approval', 1, 'd', 1, 'agent-many.tester-' || n, 'r',
         now(), d, d, CASE WHEN d IS NOT NULL THEN now() END
       FROM generate_series(1, 3000) AS n, (VALUES (NULL), ('deny')) AS v (d)`,
    );
    await queryOnce(database.url, 'ANALYZE agent_once.questions');
    expect((await lists.open('many', 10)).items).toHaveLength(10);
    expect((await lists.decided('many', 10)).items).toHaveLength(10);
    await eventually(async () => {
      const used = await queryOnce(
        database.url,
        `SELECT indexrelname AS name FROM pg_stat_user_indexes
         WHERE indexrelname IN ('questions_open', 'questions_decided') AND idx_scan > 0
         ORDER BY name`,
      );
      expect(used).toEqual([{ name: 'questions_decided' }, { name: 'questions_open' }]);
    });
  });
});

const FATE = {
  kind: 'approval',
  round: 1,
  state: 'completed',
  effect: 'keyed',
  attempts: 1,
  knownBy: null,
  lastKind: 'approval',
  lastRound: 1,
  lastDecision: 'approve',
} as const;

test.each([
  ['approved, and made', {}, 'is done'],
  [
    'approved, and then in doubt',
    { state: 'unknown', lastKind: 'outcome' },
    'its outcome is unknown',
  ],
  ['denied', { knownBy: 'person', lastDecision: 'deny' }, 'was not made'],
  ['denied a moment ago', { state: 'planned', attempts: 0, lastDecision: 'deny' }, 'was not made'],
  [
    'denied its second attempt',
    { knownBy: 'person', lastDecision: 'deny', attempts: 2 },
    'was not tried again; an earlier attempt may have been made',
  ],
  [
    'denied its second attempt, of an effect that a failure has undone',
    { knownBy: 'person', lastDecision: 'deny', attempts: 2, effect: 'transactional' },
    'was not tried again',
  ],
  [
    'denied after an approval that has expired',
    { knownBy: 'person', lastRound: 2, lastDecision: 'deny' },
    'was asked about again, and was not made',
  ],
  [
    'asked about again after an approval that has expired',
    { state: 'planned', attempts: 0, lastRound: 2, lastDecision: null },
    'was asked about again: that waits for an answer',
  ],
  [
    'of a run whose ledger was cleaned',
    { state: null, effect: null, attempts: null },
    'its record was removed',
  ],
] as const)('what became of a call: %s', (_what, fate, words) => {
  expect(sinceThen({ ...FATE, ...fate })).toBe(words);
});
