import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { startBackgroundEndpoint } from '../../../../../test/support/background-endpoint.ts';
import { eventually } from '../../../../../test/support/eventually.ts';
import { startTestSystem, type TestSystem } from '../../../../../test/support/system.ts';
import { untilEnd } from '../../../../../test/support/until-end.ts';
import { createContext } from '../../../../client/context.ts';
import { openLedgerReader } from '../../../../ledger/open-ledger.ts';
import { collect } from '../../collect.ts';

let system: TestSystem;
let endpoint: Awaited<ReturnType<typeof startBackgroundEndpoint>>;

beforeAll(async () => {
  [system, endpoint] = await Promise.all([startTestSystem(), startBackgroundEndpoint()]);
});
afterAll(async () => {
  await system.close();
  await endpoint.stop();
});
beforeEach(() => endpoint.reset());

const agent = 'tester';

async function explain(key: string) {
  const ledger = await openLedgerReader(system.env['LEDGER_URL'] ?? '');
  try {
    const context = createContext({ temporal: system.temporal });
    return await collect({ context, ledger, urlOf: (id) => id }, { agent, key });
  } finally {
    await ledger.close();
  }
}

/** Kills a worker in the middle of a run's only step, and says what is explained until another goes on. */
async function killed(key: string, when: () => Promise<void>) {
  const victim = await system.startWorker(endpoint.env);
  await system.client.start({ agent, key, input: 'hello' });
  await when();
  await victim.kill();
  return eventually(async () => {
    const explained = await explain(key);
    expect(explained.steps?.[0]?.leaseLeftMs).toBeLessThan(0);
    return explained;
  });
}

async function ended(key: string) {
  Object.assign(endpoint.state, { held: false, mute: false });
  const survivor = await system.startWorker(endpoint.env);
  try {
    expect(await untilEnd(system.client, { agent, key })).toMatchObject({ status: 'completed' });
    return await explain(key);
  } finally {
    await survivor.kill();
  }
}

test('killed after the ID of a response in the background was written: one call, and none that was perhaps paid', async () => {
  endpoint.state.held = true;
  const between = await killed('after', () =>
    eventually(async () => expect((await explain('after')).steps?.[0]?.isPending).toBe(true)),
  );
  expect(between).toMatchObject({ possiblyPaid: { calls: 0 } });
  const after = await ended('after');
  expect(endpoint.counts.creates).toBe(1);
  expect(after).toMatchObject({
    possiblyPaid: { calls: 0 },
    steps: [{ attempts: 2, unknownAttempts: 0, possiblyPaidTwice: false }],
  });
});

test('killed before it was: two calls, of which one was perhaps paid', async () => {
  endpoint.state.mute = true;
  const between = await killed('before', () =>
    eventually(() => expect(endpoint.counts.creates).toBe(1)),
  );
  expect(between).toMatchObject({ possiblyPaid: { calls: 1 } });
  const after = await ended('before');
  expect(endpoint.counts.creates).toBe(2);
  expect(after).toMatchObject({ possiblyPaid: { calls: 1 }, steps: [{ unknownAttempts: 1 }] });
});
