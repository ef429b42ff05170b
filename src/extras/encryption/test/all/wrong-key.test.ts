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
const WITHOUT = withKeys();
let system: TestSystem;

beforeAll(async () => {
  Object.assign(process.env, RIGHT);
  system = await startTestSystem();
});
afterAll(async () => {
  delete process.env['AGENT_ONCE_ENCRYPTION_KEYS'];
  await system.close();
});

test.each([
  ['the wrong key', withKeys(keyOf('wrong'))],
  ['another key under the same ID', withKeys(keyOf('right', 'another'))],
  ['no key', WITHOUT],
])(
  'a worker with %s says so, and who has the key ends the run, with no doubled effect',
  async (what, env) => {
    const label = what.replaceAll(' ', '-');
    const run = { agent: 'tester', key: label };
    const right = await system.startWorker(RIGHT);
    system.counter.hold(`charge:${label}`);
    await system.client.start({
      ...run,
      input: script(calls(['charge', { label }]), calls(['send', { label }]), { say: 'done' }),
    });
    await eventually(() => expect(system.counter.requests(`charge:${label}`)).toBe(1));
    await right.kill();
    system.counter.letGo(`charge:${label}`);

    const wrong = await system.startWorker(env);
    // Both of its tasks: of the workflow, and of the step that the dead worker left.
    await eventually(
      () => expect(wrong.output()).toMatch(/encrypted with (the|a) key "right"/),
      () => wrong.output(),
    );
    for (const command of [
      'status',
      'result',
      'list',
      ...(hasExtra('explain') ? ['explain'] : []),
    ]) {
      const which = command === 'list' ? [] : ['tester', label];
      const flags = command === 'result' ? ['--timeout', '1s'] : [];
      const told = await runCommand([command, ...which, ...flags], { ...system.env, ...env });
      expect(told.stderr).toMatch(/key "right"/);
      expect(told).toMatchObject({ code: 6, stdout: '' });
    }
    expect(await system.client.describe(run)).toMatchObject({ status: 'running' });
    await wrong.stop();

    const again = await system.startWorker(RIGHT);
    expect(await untilEnd(system.client, run)).toMatchObject({
      status: 'completed',
      result: 'done',
    });
    expect(system.counter.effects(`charge:${label}`)).toBe(1);
    expect(system.counter.requests(`send:${label}`)).toBe(1);
    await again.stop();
  },
);
