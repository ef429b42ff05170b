import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startCli, type RunningCli } from '../../../../../test/support/cli.ts';
import { eventually } from '../../../../../test/support/eventually.ts';
import { hasExtra } from '../../../../../test/support/extras.ts';
import {
  calls,
  script,
  startTestSystem,
  type TestSystem,
} from '../../../../../test/support/system.ts';

const suite = hasExtra('encryption') && hasExtra('metrics') ? describe : describe.skip;
const KEYS = `test:${Buffer.alloc(32, 7).toString('base64')}`;

suite('the log of a worker that encrypts', () => {
  let system: TestSystem;
  beforeAll(async () => {
    system = await startTestSystem();
  });
  afterAll(() => system?.close());

  async function startWorker(env: Record<string, string> = {}): Promise<RunningCli> {
    const worker = startCli(['worker'], {
      ...system.env,
      TEST_AGENTS: 'of workers',
      AGENT_ONCE_ENCRYPTION_KEYS: KEYS,
      AGENT_ONCE_METRICS_PORT: '0',
      ...env,
    });
    await eventually(() => expect(worker.stderr()).toMatch(/Worker \d+ is ready/));
    return worker;
  }

  test.each(['as composed', 'reversed'])(
    'leaves out what a step failed with, and is JSON from its first line on, with the extras %s',
    async (order) => {
      const worker = await startWorker({ TEST_EXTRAS: order });
      const input = script(calls(['flaky', { failures: 1 }]), { say: 'done' });
      await system.client.start({ agent: 'tester', input });
      await eventually(() => expect(worker.stderr()).toContain('An attempt of a step failed'));
      worker.child.kill('SIGTERM');
      const { stderr } = await worker.ended;
      const lines = stderr
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(lines.map(({ msg }) => msg)).toEqual(
        expect.arrayContaining([expect.stringMatching(/^Metrics are at /)]),
      );
      expect(lines.find(({ msg }) => msg === 'An attempt of a step failed')).toMatchObject({
        err: { type: 'tool.failed', message: expect.stringMatching(/^\(left out, /) },
      });
      expect(stderr).not.toContain('failure 1');
    },
  );

  test('does not have the text of an error for which the worker ends', async () => {
    const worker = await startWorker();
    const call = calls(['stray_at_most_once', { label: 'x', way: 'a timer' }]);
    await system.client.start({ agent: 'stray', input: script(call, { say: 'done' }) });
    const { code, stderr } = await worker.ended;
    expect({ code, stderr }).toEqual({
      code: 11,
      stderr: expect.stringContaining('(worker.stray_error)'),
    });
    expect(stderr).not.toContain('stray: a timer');
  });
});
