import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { AgentOnceClient } from '../src/client/agent-once-client.ts';
import { connect } from '../src/client/connect.ts';
import type { StartRequest } from '../src/client/types.ts';
import { openTemporalUi, type TemporalUi } from './browser/temporal-ui.ts';
import { stackEnvironment } from '../src/extras/dev/stack-environment.ts';
import { shop } from '../src/app/shop.ts';
import { startStack, type Stack } from '../src/extras/dev/stack.ts';
import { startWorkerProcess } from '../src/extras/dev/app-processes.ts';
import { takeOperatorPage } from './take-operator-page.ts';

const ENDED: StartRequest = {
  agent: 'support',
  key: 'req-001',
  input: 'Refund 25.00 EUR of order 1042, note it on the order, and tell the customer.',
};
const HELD: StartRequest = {
  agent: 'support',
  key: 'req-002',
  input: 'Refund 12.50 EUR of order 1043, note it on the order, and tell the customer.',
};
const WAIT_MS = 30_000;

/**
 * Writes the pictures of the documentation: the example's run in Temporal UI when it has ended, and
 * another one in the middle of a tool call; the operator's page with runs that wait. Starts everything that it needs, and stops it again.
 *
 * @throws {AgentOnceError} `part.failed` without a browser, or without the example
 */
export async function takePictures(
  folder: string,
  tell: (line: string) => void = () => undefined,
): Promise<void> {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'agent-once-pictures-'));
  const stops: (() => Promise<unknown>)[] = [];
  try {
    const stack = await startStack({
      dataDir,
      ports: { temporal: 0, ui: 0, postgres: 0, model: 0 },
      beside: [{ ...shop, port: 0 }],
      scriptedModel: true,
      durable: false,
      log: tell,
    });
    stops.push(() => stack.stop());
    const shopUrl = stack.beside[0]?.url ?? '';
    const browser = await openTemporalUi(stack.ui);
    stops.push(() => browser.close());
    const client = await startClient(stack, stops, tell);

    await mkdir(folder, { recursive: true });
    const take = async (name: string): Promise<void> => {
      const file = path.join(folder, `${name}.png`);
      await writeFile(file, await browser.picture());
      tell(`wrote ${file}`);
    };
    await takeEnded(client, browser, shopUrl, take);
    await takeOperatorPage(stack, client, folder, tell);
    await takeHeld(client, browser, shopUrl, take);
  } finally {
    for (const stop of stops.toReversed()) await stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** The refund is booked, its answer is an error: the second attempt gets the booked one. */
async function takeEnded(
  client: AgentOnceClient,
  ui: TemporalUi,
  shop: string,
  take: (name: string) => Promise<void>,
): Promise<void> {
  await orderFaults(shop, [{ kind: 'status', status: 503, when: 'after-commit' }]);
  const { workflowId } = await client.start(ENDED);
  await client.result({ agent: ENDED.agent, key: ENDED.key ?? '' }, { timeoutMs: WAIT_MS });

  const lines = ['callModel • turn 4', 'tool.issue_refund • turn 2 · order 1042 · 25.00 EUR'];
  await ui.open(workflowId, 'timeline');
  await ui.see('COMPLETED', '"output":', ...lines);
  await take('completed-timeline');
  await ui.open(workflowId, 'user-metadata');
  await ui.see('COMPLETED', 'support req-001', 'turn 4 of 10', 't4.model');
  await take('completed-details');
  await ui.open(workflowId, 'history');
  await ui.see('COMPLETED', 'Workflow Execution Completed');
  await ui.press('Compact');
  await ui.see('turn 2 · order 1042 · 25.00 EUR');
  await take('completed-history');
}

/** The shop does not answer, so the run waits in its refund as long as the pictures take. */
async function takeHeld(
  client: AgentOnceClient,
  ui: TemporalUi,
  shop: string,
  take: (name: string) => Promise<void>,
): Promise<void> {
  const hang = { kind: 'hang', when: 'before' };
  await orderFaults(shop, [{ kind: 'status', status: 503 }, hang, hang, hang]);
  const { workflowId } = await client.start(HELD);

  await ui.open(workflowId, 'user-metadata');
  await ui.see('RUNNING', 'Pending Activities 1', 'support req-002', 'turn 2 of 10', 't2.c0');
  await take('running-details');
  await ui.open(workflowId, 'timeline');
  await ui.see('RUNNING', '"agent": "support"', 'Attempt 2', 'turn 2 · order 1043 · 12.50 EUR');
  await take('running-timeline');
}

async function startClient(
  stack: Stack,
  stops: (() => Promise<unknown>)[],
  tell: (line: string) => void,
): Promise<AgentOnceClient> {
  const worker = await startWorkerProcess({
    env: { ...stackEnvironment(stack), AGENT_ONCE_LOG_LEVEL: 'error' },
    log: tell,
  });
  stops.push(() => worker.stop());
  await worker.ready;
  Object.assign(process.env, { TEMPORAL_ADDRESS: stack.temporal, TEMPORAL_NAMESPACE: 'default' });
  const { temporal, close } = await connect();
  stops.push(close);
  return new AgentOnceClient({ temporal });
}

async function orderFaults(shop: string, faults: object[]): Promise<void> {
  const url = new URL('/faults', shop);
  await fetch(url, { method: 'DELETE' });
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ faults }),
  });
  if (!response.ok) throw new Error(`The shop answered ${response.status} to /faults.`);
}
