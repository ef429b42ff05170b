import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runBin, runCommand } from '../../../../../test/support/cli.ts';
import { startConnectProxy, type ConnectProxy } from '../../../../../test/support/connect-proxy.ts';
import { startHttpSuite, type HttpSuite } from '../support/http-suite.ts';
import { temporalAddress } from '../../../../../test/support/servers.ts';
import { script } from '../../../../../test/support/system.ts';

/** Only the proxy knows it. */
const BEHIND = 'temporal.behind.invalid:7233';

let proxy: ConnectProxy;
let suite: HttpSuite;
let env: Record<string, string>;

beforeAll(async () => {
  proxy = await startConnectProxy(temporalAddress());
  suite = await startHttpSuite();
  env = {
    ...suite.system.env,
    TEST_AGENTS: 'of workers',
    TEMPORAL_ADDRESS: BEHIND,
    HTTPS_PROXY: `http://ann:p%40ss@127.0.0.1:${proxy.port}`,
  };
});
afterAll(async () => {
  await suite.close();
  await proxy.stop();
});

/** What the proxy is asked for meanwhile. */
async function askedBy(work: () => Promise<unknown>): Promise<string[]> {
  proxy.asked.length = 0;
  await work();
  const authorization = `Basic ${Buffer.from('ann:p@ss').toString('base64')}`;
  for (const each of proxy.asked) expect(each.authorization).toBe(authorization);
  return [...new Set(proxy.asked.map(({ target }) => target))];
}

test('a command, a worker and the service reach Temporal through HTTPS_PROXY, and nothing else', async () => {
  expect(await askedBy(() => suite.system.startWorker(env))).toEqual([BEHIND]);

  const input = JSON.stringify(script({ say: 'through' }));
  const start = ['start', 'tester', '--key', 'k-proxy', '--input-json', input, '--wait'];
  const byCommand = await askedBy(async () => {
    expect(await runCommand(start, env)).toMatchObject({ code: 0, stdout: 'through\n' });
  });
  expect(byCommand).toEqual([BEHIND]);

  const byService = await askedBy(async () => {
    const service = await suite.startAnother(env);
    const found = await suite.send('GET', '/v1/runs/agent-tester-k-proxy', { service });
    expect(await found.json()).toMatchObject({ status: 'completed', result: 'through' });
  });
  expect(byService).toEqual([BEHIND]);
});

test('what NO_PROXY names is reached without it, by all three', async () => {
  const direct = { ...env, NO_PROXY: '.behind.invalid' };
  const asked = await askedBy(async () => {
    // There is no such name without the proxy.
    expect((await runCommand(['list'], direct)).code).toBe(6);
    await expect(suite.system.startWorker(direct)).rejects.toThrow(/before it was ready/);
    await expect(suite.startAnother(direct)).rejects.toThrow(/before it was ready/);
  });
  expect(asked).toEqual([]);
});

test('where the proxy is away, a command says so in one line, without those of gRPC', async () => {
  const { code, stderr } = await runBin(['list'], {
    TEMPORAL_ADDRESS: 'temporal.example:7233',
    HTTPS_PROXY: 'http://127.0.0.1:1',
  });
  expect(code).toBe(6);
  expect(stderr).toMatch(/^error .*through the proxy of HTTPS_PROXY, 127\.0\.0\.1:1: .*\n$/);
});
