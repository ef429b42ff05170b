import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { startShop, type Shop } from '../../../examples/shop/server.ts';
import { AgentOnceClient } from '../../../src/client/agent-once-client.ts';
import { STRICT_ENDPOINTS, workerEnv } from '../../support/dialects.ts';
import { eventually } from '../../support/eventually.ts';
import { calls, script, startTestSystem, type TestSystem } from '../../support/system.ts';
import { within } from '../../support/within.ts';

const BIN = fileURLToPath(new URL('../../../bin/agent-once.js', import.meta.url));

let system: TestSystem;
let shop: Shop;
/** Knows no agents: the worker has those of the example. */
let client: AgentOnceClient;
const workers: ChildProcess[] = [];

beforeAll(async () => {
  system = await startTestSystem();
  client = new AgentOnceClient({ temporal: system.temporal });
  shop = await startShop({ databaseUrl: system.env['LEDGER_URL'] ?? '' });
});
afterEach(() => {
  for (const worker of workers.splice(0)) worker.kill('SIGKILL');
});
afterAll(async () => {
  await shop?.stop();
  await system.close();
});

/** A worker as a user starts it, with the example's agent and tools. */
function startWorker(env: Record<string, string>): { ended: Promise<unknown>; output(): string } {
  const worker = spawn(process.execPath, [BIN, 'worker'], {
    env: { PATH: process.env['PATH'] ?? '', ...system.env, SHOP_URL: shop.url, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  workers.push(worker);
  let output = '';
  worker.stderr.on('data', (chunk) => (output += String(chunk)));
  return {
    ended: once(worker, 'exit').then(([code, signal]) => (signal ?? code) as unknown),
    output: () => output,
  };
}

const counters = async () =>
  (await (await fetch(`${shop.url}/counters`)).json()) as Record<string, number>;

const WANT_BACK = ['OpenAI, Responses', 'Gemini 3', 'DeepSeek', 'Kimi'];

/**
 * The example refunds in its first turn, and its worker dies between the turns: what the endpoint
 * sent with the call is in the ledger, and the next worker sends it back.
 */
test.each(STRICT_ENDPOINTS.filter(({ name }) => WANT_BACK.includes(name)))(
  'the example goes on after a refund and a killed worker: $name',
  async (endpoint) => {
    await fetch(`${shop.url}/reset`, { method: 'POST' });
    const env = workerEnv(endpoint, system.model);
    const refund = { order: 1042, amountEur: 25, reason: 'Asked for' };
    const note = { order: 1042, note: 'Refunded 25.00 EUR.' };
    const email = { to: 'alan@example.com', subject: 'Your refund', body: 'Hello' };
    const victim = startWorker({ ...env, AGENT_ONCE_FAULT: 'after-record:issue_refund' });
    const run = await client.start({
      agent: 'support',
      input: script(
        calls(['issue_refund', refund]),
        calls(['note_on_order', note], ['send_email', email]),
        { say: 'done' },
      ),
      options: { model: endpoint.model },
    });
    const ended = await within(
      victim.ended,
      () => `the worker was killed after its refund. It wrote:\n${victim.output()}`,
    );
    expect(ended).toBe('SIGKILL');
    expect(await counters()).toMatchObject({ refunds: 1, emails: 0 });

    const worker = startWorker(env);
    await eventually(
      async () => expect((await client.describe(run)).status).not.toBe('running'),
      worker.output,
    );
    expect(await client.result(run)).toMatchObject({ status: 'completed', result: 'done' });
    expect(await counters()).toMatchObject({ refunds: 1, refundRequests: 1, emails: 1 });
    const { byToken } = await system.modelRequests();
    const scope = await system.scopeOf(run.workflowId);
    const [second] = await system.receivedBy(`${scope}:t2.model`);
    expect(JSON.stringify(second?.body)).toMatch(endpoint.comesBack ?? /./);
    expect(['t1', 't2', 't3'].map((turn) => byToken[`${scope}:${turn}.model`])).toEqual([1, 1, 1]);
  },
);
