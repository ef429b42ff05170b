import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runCommand, startCli } from '../../../../../test/support/cli.ts';
import { eventually } from '../../../../../test/support/eventually.ts';
import {
  calls,
  script,
  startTestSystem,
  type TestSystem,
} from '../../../../../test/support/system.ts';
import { untilEnd } from '../../../../../test/support/until-end.ts';

/** Takes every connection and all that comes, and never answers. */
let receiver: Server;
const taken = new Set<Socket>();
let received = 0;
let system: TestSystem;
let env: Record<string, string>;

beforeAll(async () => {
  receiver = createServer((socket) => {
    taken.add(socket);
    socket.on('data', (chunk) => (received += chunk.length)).on('error', () => {});
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  system = await startTestSystem();
  env = {
    ...system.env,
    TEST_AGENTS: 'of workers',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`,
    OTEL_BSP_SCHEDULE_DELAY: '100',
    // Far longer than the test waits: the end of a process must not lean on it.
    OTEL_EXPORTER_OTLP_TIMEOUT: '3600000',
    OTEL_BSP_EXPORT_TIMEOUT: '3600000',
  };
});
afterAll(async () => {
  for (const socket of taken) socket.destroy();
  receiver?.close();
  await system?.close();
});

test('a receiver that takes and never answers stops no run, and a worker ends when it is told to', async () => {
  const worker = startCli(['worker'], env);
  await eventually(() => expect(worker.stderr()).toMatch(/Worker \d+ is ready/));
  const play = script(calls(['look', { label: 'a' }]), { say: 'done' });
  const first = await system.client.start({ agent: 'tester', input: play });
  expect(await untilEnd(system.client, first)).toMatchObject({ status: 'completed' });
  await eventually(() => expect(received).toBeGreaterThan(0));
  // While an export waits for its answer.
  const second = await system.client.start({ agent: 'tester', input: play });
  expect(await untilEnd(system.client, second)).toMatchObject({ status: 'completed' });
  worker.child.kill('SIGTERM');
  expect((await worker.ended).code).toBe(0);
});

test('a command ends, whether it succeeds or fails', async () => {
  const before = received;
  expect(await runCommand(['list'], env)).toMatchObject({ code: 0 });
  expect(await runCommand(['status', 'tester', 'no-such-key'], env)).toMatchObject({ code: 5 });
  expect(received).toBeGreaterThan(before);
});
