import { afterEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.ts';
import { calls, script, startTestSystem, type TestSystem } from '../../support/system.ts';
import { untilEnd } from '../../support/until-end.ts';

let system: TestSystem;
afterEach(async () => {
  await (system as TestSystem | undefined)?.close();
});

const POLLING_FAILED =
  /^error This worker can take no more work from Temporal.* \(worker\.polling_failed\)$/m;

test('a worker whose namespace is deleted can take no more work: it ends with exit code 9, and says why', async () => {
  system = await startTestSystem();
  const worker = await system.startWorker();
  const { namespace } = system.temporal.options;
  await system.temporal.connection.operatorService.deleteNamespace({ namespace });
  expect(await worker.untilEnded()).toBe(9);
  expect(worker.output()).toMatch(POLLING_FAILED);
  expect(worker.output()).toMatch(/^error .* from Temporal: Namespace \S+ is not found\. Steps/m);
});

describe.each(['standard', 'fast'])('a completion that cannot be encoded, %s lane:', (lane) => {
  test.each(['idle', 'with a step under way'])(
    'the worker, else %s, ends with exit code 9, and another one goes on',
    async (busy) => {
      system = await startTestSystem();
      const env = { TEST_LANE: lane, TEST_GRACE_MS: '3000' };
      const [first, second] = await Promise.all([
        system.startWorker(env),
        system.startWorker({ ...env, TEST_STANDBY: '1' }),
      ]);
      let other: { agent: string; key: string } | undefined;
      if (busy !== 'idle') {
        const input = script(calls(['deaf', { label: 'other', ms: 1_000 }]), { say: 'ok' });
        other = await system.client.start({ agent: 'tester', input });
        await eventually(() => expect(system.counter.requests('deaf:other')).toBe(1));
      }
      const input = script(calls(['odd', { how: 'unencodable' }]), { say: 'never' });
      await system.client.start({ agent: 'tester', input });
      expect(await first.untilEnded()).toBe(9);
      expect(first.output()).toMatch(POLLING_FAILED);
      second.go();
      const run = await system.client.start({ agent: 'tester', input: script({ say: 'ok' }) });
      expect(await untilEnd(system.client, run)).toMatchObject({ status: 'completed' });
      if (other) {
        expect(await untilEnd(system.client, other)).toMatchObject({ status: 'completed' });
        // The step had time to end, and was recorded.
        expect(system.counter.requests('deaf:other')).toBe(1);
      }
    },
  );
});
