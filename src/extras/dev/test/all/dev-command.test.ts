import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Connection } from '@temporalio/client';
import { signalProcess } from '../../child-process.ts';
import { findFreePort } from '../../ports.ts';
import { queryOnce } from '../../../../../test/support/database.ts';
import { devSuite, waitUntilNothingRunsIn } from '../dev-suite.ts';
import { listProcesses, waitUntil, type Spawned } from '../processes.ts';

interface Ready {
  ready: true;
  temporal: string;
  ui: string;
  ledger: string;
  model: string;
  shop?: string;
}

describe('agent-once dev', () => {
  const suite = devSuite();
  const { folder } = suite;
  const dev = (dataDir: string, ...args: string[]): Spawned =>
    suite.dev(dataDir, '--json', ...args);

  test('prints one line once all are ready; SIGTERM stops everything, its worker too', async () => {
    const stack = dev(path.join(folder(), 'first'), '--no-reload');
    const ready = JSON.parse(await stack.firstLine) as Ready;
    expect(ready).toMatchObject({ ready: true });
    const connection = await Connection.connect({ address: ready.temporal });
    try {
      await waitUntil('the worker polls', async () => {
        const { pollers } = await connection.workflowService.describeTaskQueue({
          namespace: 'default',
          taskQueue: { name: 'agent-once' },
          taskQueueType: 1,
        });
        return (pollers ?? []).length > 0;
      });
    } finally {
      await connection.close();
    }
    expect((await fetch(ready.ui)).status).toBe(200);
    expect(await queryOnce(ready.ledger, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect((await fetch(`${ready.model}/models`)).status).toBe(200);

    stack.process.kill('SIGTERM');
    expect(await stack.ended).toBe(0);
    expect(stack.stdout().trim().split('\n')).toHaveLength(1);
    await waitUntilNothingRunsIn(folder());
  });

  test('a second one on the same data is told so; SIGKILL of the first blocks nothing', async () => {
    const dataDir = path.join(folder(), 'shared');
    const ports = {
      '--temporal-port': await findFreePort(),
      '--ui-port': await findFreePort(),
      '--postgres-port': await findFreePort(),
    };
    const args = ['--no-worker', ...Object.entries(ports).flatMap(([k, v]) => [k, String(v)])];
    const first = dev(dataDir, ...args);
    const ready = JSON.parse(await first.firstLine) as Ready;
    expect(ready.temporal).toBe(`127.0.0.1:${ports['--temporal-port']}`);

    const second = dev(dataDir, '--no-worker');
    expect(await second.ended).toBe(6);
    expect(JSON.parse(second.stdout())).toMatchObject({ error: { code: 'part.failed' } });
    expect(second.stderr()).toContain(`process ${first.pid}`);
    expect(second.stderr()).toContain('--data-dir');

    await queryOnce(ready.ledger, "CREATE TABLE kept AS SELECT 'yes' AS answer");
    first.process.kill('SIGKILL');
    const third = dev(dataDir, ...args);
    const again = JSON.parse(await third.firstLine) as Ready;
    expect(again).toMatchObject({ temporal: ready.temporal, ui: ready.ui, ledger: ready.ledger });
    expect(await queryOnce(again.ledger, 'SELECT answer FROM kept')).toEqual([{ answer: 'yes' }]);
  });

  test('a port in use ends it with the flag to change, and leaves nothing behind', async () => {
    const first = dev(path.join(folder(), 'one'), '--no-worker');
    const ready = JSON.parse(await first.firstLine) as Ready;
    const taken = new URL(ready.ledger).port;
    const second = dev(path.join(folder(), 'two'), '--no-worker', '--postgres-port', taken);
    expect(await second.ended).toBe(2);
    expect(second.stderr()).toContain(taken);
    expect(second.stderr()).toContain('--postgres-port');
    await waitUntilNothingRunsIn(path.join(folder(), 'two'));
  });

  test('a worker or a PostgreSQL that dies is started again', async () => {
    const stack = dev(path.join(folder(), 'dying'), '--no-reload');
    const ready = JSON.parse(await stack.firstLine) as Ready;
    const readyWorkers = () => [...stack.stderr().matchAll(/Worker (\d+) is ready/g)];
    signalProcess(Number(readyWorkers()[0]?.[1]), 'SIGKILL');
    await waitUntil('another worker is ready', () => readyWorkers().length === 2);

    const found = await queryOnce(ready.ledger, 'SHOW data_directory');
    const { data_directory: data } = found[0] as { data_directory: string };
    const [postmaster] = (await listProcesses()).filter(({ command }) =>
      command.includes(`postgres -D ${data}`),
    );
    if (postmaster === undefined) throw new Error(`No PostgreSQL runs on ${data}`);
    signalProcess(postmaster.pid, 'SIGKILL');
    const isBack = () => stack.stderr().includes('PostgreSQL is back');
    await waitUntil('PostgreSQL is back', isBack);
    expect(await queryOnce(ready.ledger, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});
