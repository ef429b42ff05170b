import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { calls, script, startTestSystem, type TestSystem } from '../../support/system.ts';
import { untilEnd } from '../../support/until-end.ts';

let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(() => system.close());

/** As a worker of the next version does when it starts. */
async function migrateTo(name: string, statements: string): Promise<void> {
  await system.sql.query(`BEGIN; ${statements};
    INSERT INTO agent_once.migrations (name, run_on) VALUES ('${name}', now()); COMMIT`);
}

async function play(key: string): Promise<void> {
  const request = { agent: 'tester', key };
  const input = script(calls(['charge', { label: key }], ['note', { label: key }]), { say: 'ok' });
  await system.client.start({ ...request, input });
  expect(await untilEnd(system.client, request)).toMatchObject({ status: 'completed' });
  expect(system.counter.effects(`charge:${key}`)).toBe(1);
}

test('workers of the version before go on beside a newer ledger, start there, and say so', async () => {
  const running = await system.startWorker();
  await play('before');
  await migrateTo(
    '9998_example',
    `ALTER TABLE agent_once.steps ADD COLUMN future text NOT NULL DEFAULT 'x';
     CREATE TABLE agent_once.futures (id bigint)`,
  );
  await play('after');
  await running.stop();

  const started = await system.startWorker();
  expect(started.output()).toContain(
    'was migrated by a newer version of this program (9998_example). This one works with it.',
  );
  await play('started-after');
  await started.stop();
});

test('a worker does not start where a newer ledger needs what it does not know, and says what to do', async () => {
  await migrateTo('9999_example_needs_9998', 'ALTER TABLE agent_once.steps DROP COLUMN future');
  await expect(system.startWorker()).rejects.toThrow(
    /this one cannot work with it \(9999_example_needs_9998\)\. Nothing was changed\. Deploy that version here too/,
  );
});
