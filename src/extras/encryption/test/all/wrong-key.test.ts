import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runCommand } from '../../../../../test/support/cli.ts';
import { eventually } from '../../../../../test/support/eventually.ts';
import { hasExtra } from '../../../../../test/support/extras.ts';
import {
  calls,
  script,
  startTestSystem,
  type TestSystem,
} from '../../../../../test/support/system.ts';
import { untilEnd } from '../../../../../test/support/until-end.ts';
import { keyOf, withKeys } from '../keys-of-tests.ts';

const RIGHT = withKeys(keyOf('right'));
let system: TestSystem;

beforeAll(async () => {
  Object.assign(process.env, RIGHT);
  system = await startTestSystem();
});
afterAll(async () => {
  delete process.env['AGENT_ONCE_ENCRYPTION_KEYS'];
  await system.close();
});

const OTHERS = {
  'the wrong key': withKeys(keyOf('wrong')),
  'another key under its ID': withKeys(keyOf('right', 'another')),
  'no key': withKeys(),
};
const COMMANDS = ['status', 'result', 'list', ...(hasExtra('explain') ? ['explain'] : [])];

test('workers without the key say so, commands too, and who has it ends the run with no doubled effect', async () => {
  const run = { agent: 'tester', key: 'kept' };
  const right = await system.startWorker(RIGHT);
  system.counter.hold('charge:kept');
  await system.client.start({
    ...run,
    input: script(calls(['charge', { label: 'kept' }]), calls(['send', { label: 'kept' }]), {
      say: 'done',
    }),
  });
  await eventually(() => expect(system.counter.requests('charge:kept')).toBe(1));
  await right.kill();
  system.counter.letGo('charge:kept');

  for (const [what, env] of Object.entries(OTHERS)) {
    const worker = await system.startWorker(env);
    await eventually(
      () => expect(worker.output()).toMatch(/encrypted with (the|a) key "right"/),
      () => `with ${what}: ${worker.output()}`,
    );
    await worker.stop();
  }
  for (const command of COMMANDS) {
    const which = command === 'list' ? [] : [run.agent, run.key];
    const told = await runCommand([command, ...which], { ...system.env, ...OTHERS['no key'] });
    expect({ command, ...told }).toEqual({
      command,
      code: 6,
      stdout: '',
      stderr: expect.stringMatching(/encrypted with the key "right".*Nothing was lost/),
    });
  }
  expect(await system.client.describe(run)).toMatchObject({ status: 'running' });

  await system.startWorker(RIGHT);
  expect(await untilEnd(system.client, run)).toMatchObject({ status: 'completed', result: 'done' });
  expect(system.counter.effects('charge:kept')).toBe(1);
  expect(system.counter.requests('send:kept')).toBe(1);
});
