import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DEV_PORTS } from '../../../../config.ts';
import { findFreePort } from '../../../dev/ports.ts';
import { ROOT } from '../../../../../test/structure/checkout-copy.ts';
import { startTestService } from '../support/service.ts';
import { startTestSystem, type TestSystem } from '../../../../../test/support/system.ts';

const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
const [, words = '[]'] = /^HEALTHCHECK [^[]*CMD (\[.*\])$/m.exec(dockerfile) ?? [];
const [program, file = ''] = JSON.parse(words) as string[];

let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(() => system.close());

/** The exit code of what the image's HEALTHCHECK runs, looking at these ports. */
function check(...ports: number[]): number | null {
  const path = file.replace(/^\/app/, ROOT);
  return spawnSync(process.execPath, [path, ...ports.map(String)]).status;
}

test("the image's health check works for a worker as for the HTTP service", async () => {
  expect(program).toBe('node');
  const [workerPort, nobody] = [await findFreePort(), await findFreePort()];
  expect(check(workerPort, nobody)).toBe(1);

  const worker = await system.startWorker({ AGENT_ONCE_HEALTH_PORT: String(workerPort) });
  expect(check(workerPort, nobody)).toBe(0);
  await worker.kill();
  expect(check(workerPort, nobody)).toBe(1);

  const service = await startTestService(system);
  const servicePort = Number(new URL(service.url).port);
  expect(check(workerPort, servicePort)).toBe(0);
  await service.kill();
  expect(check(workerPort, servicePort)).toBe(1);
});

test('its ports are those that the image and `agent-once serve` have', () => {
  const [, workerPort] = /AGENT_ONCE_HEALTH_PORT=(\d+)/.exec(dockerfile) ?? [];
  const source = readFileSync(file.replace(/^\/app/, ROOT), 'utf8');
  expect(source).toContain(`AGENT_ONCE_HEALTH_PORT ?? '${workerPort}', '${DEV_PORTS.http}'`);
  // `codec`, which may not be there, has its own after them.
  expect(dockerfile).toMatch(new RegExp(`^EXPOSE ${workerPort} ${DEV_PORTS.http}( \\d+)?$`, 'm'));
});
