import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { openBrowser } from '../../../../../test/support/browser/open-browser.ts';
import { startCli, type RunningCli } from '../../../../../test/support/cli.ts';
import { eventually } from '../../../../../test/support/eventually.ts';
import {
  calls,
  script,
  startTestSystem,
  type TestSystem,
} from '../../../../../test/support/system.ts';
import { untilEnd } from '../../../../../test/support/until-end.ts';
import { findTemporalCli } from '../../../dev/temporal-cli.ts';
import { startTemporalServer, type TemporalServer } from '../../../dev/temporal-server.ts';
import { keyOf, withKeys } from '../keys-of-tests.ts';

const SECRETS = ['planted-input', 'planted-argument', 'planted-answer'];
const KEYS = withKeys(keyOf('right'));
const TOKEN = 'a token of a test, 1234567890'.replaceAll(/\W/g, '-');

let server: TemporalServer;
let system: TestSystem;
let codec: RunningCli;
let codecUrl: string;
let browser: Browser;
let folder: string;
let workflowId: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'agent-once-codec-'));
  server = await startTemporalServer({ uiPort: 0, dbFile: path.join(folder, 'temporal.db') });
  // The server that all suites share has no UI. A suite's environment is its own.
  process.env['TEST_TEMPORAL_ADDRESS'] = server.address;
  Object.assign(process.env, KEYS);
  system = await startTestSystem();
  await system.startWorker(KEYS);
  const run = { agent: 'tester', key: 'shown' };
  ({ workflowId } = await system.client.start({
    ...run,
    input: script(
      { say: 'planted-input', ...(calls(['look', { label: 'planted-argument' }]) as object) },
      { say: 'planted-answer' },
    ),
  }));
  await untilEnd(system.client, run);
  const args = ['codec', '--port', '0', '--origin', server.uiUrl ?? ''];
  codec = startCli(args, { ...KEYS, AGENT_ONCE_CODEC_TOKEN: TOKEN });
  codecUrl = await eventually(() => {
    const [url] = /http:\S+/.exec(codec.stderr()) ?? [];
    if (url === undefined) throw new Error(`It is not ready: ${codec.stderr()}`);
    return url;
  });
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  codec?.child.kill('SIGTERM');
  await codec?.ended;
  delete process.env['AGENT_ONCE_ENCRYPTION_KEYS'];
  await system?.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** What a person reads on the run's page. */
async function read(page: Page): Promise<string> {
  const namespace = system.env['TEMPORAL_NAMESPACE'];
  await page.goto(`${server.uiUrl}/namespaces/${namespace}/workflows/${workflowId}`);
  await page.waitForURL(/\/timeline/);
  // What is read of the server is drawn: a tool's name is not encrypted.
  await page.getByText('tool.look').first().waitFor();
  return page.locator('body').innerText();
}

test('no file of the Temporal server holds a planted secret', async () => {
  const names = (await readdir(folder)).filter((name) => name.startsWith('temporal.db'));
  const files = await Promise.all(names.map((name) => readFile(path.join(folder, name))));
  const holds = (text: string): boolean => files.some((file) => file.includes(text));
  expect(holds(workflowId)).toBe(true);
  expect(SECRETS.filter(holds)).toEqual([]);
});

test('a person with a browser in Temporal UI reads nothing before signing in at the codec server, and all after', async () => {
  const context = await browser.newContext({
    locale: 'en-US',
    viewport: { width: 1600, height: 1200 },
  });
  const own = [new URL(server.uiUrl ?? '').origin, new URL(codecUrl).origin];
  // The UI asks for news on the internet.
  await context.route(
    ({ origin }) => !own.includes(origin),
    (route) => route.abort(),
  );
  const page = await context.newPage();
  const shows = async (): Promise<string[]> => {
    const text = await read(page);
    return SECRETS.filter((secret) => text.includes(secret));
  };
  expect(await shows()).toEqual([]);

  await page.evaluate(
    `for (const [name, value] of Object.entries(${JSON.stringify({
      endpoint: codecUrl,
      includeCredentials: true,
      overrideRemoteCodecConfiguration: true,
    })})) localStorage.setItem(name, JSON.stringify(value))`,
  );
  const refused = page.waitForResponse(
    (response) => response.url().startsWith(`${codecUrl}/decode`) && response.status() === 401,
  );
  expect(await shows()).toEqual([]);
  await refused;

  await page.goto(codecUrl);
  await page.getByLabel('Token').fill(TOKEN);
  await page.getByRole('button').click();
  await page.getByText('Signed in').waitFor();
  await eventually(async () => {
    expect(await shows()).toEqual(SECRETS);
  });
  await context.close();
});

test("Temporal's command shows a run by the codec server", async () => {
  const show = async (...more: string[]): Promise<string> => {
    const where = [
      '--address',
      server.address,
      '--namespace',
      system.env['TEMPORAL_NAMESPACE'] ?? '',
    ];
    const what = ['workflow', 'show', '--workflow-id', workflowId, '--output', 'json'];
    const { stdout } = await promisify(execFile)(
      await findTemporalCli(),
      [...what, ...where, ...more],
      {
        maxBuffer: 16 * 1024 * 1024,
      },
    );
    return stdout;
  };
  const plain = await show();
  expect(SECRETS.filter((secret) => plain.includes(secret))).toEqual([]);
  const text = await show('--codec-endpoint', codecUrl, '--codec-auth', `Bearer ${TOKEN}`);
  // It shows payloads' data as base64.
  const data = [...text.matchAll(/"data": "([^"]+)"/g)].map(([, each = '']) => each);
  const decoded = data.map((each) => Buffer.from(each, 'base64').toString()).join('\n');
  expect(SECRETS.filter((secret) => decoded.includes(secret))).toEqual(SECRETS);
});

test('who has no token, or comes from a page of another origin, gets nothing', async () => {
  const ask = (headers: Record<string, string>, where = 'decode') =>
    fetch(`${codecUrl}/${where}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: '{"payloads":[]}',
    });
  const token = { authorization: `Bearer ${TOKEN}` };
  expect((await ask({})).status).toBe(401);
  expect((await ask({ authorization: 'Bearer another' })).status).toBe(401);
  expect((await ask({ ...token, origin: 'https://evil.example' })).status).toBe(403);
  expect((await ask({ ...token, 'content-type': 'text/plain' })).status).toBe(400);
  expect((await ask(token, 'other')).status).toBe(404);
  const answer = await ask({ ...token, origin: new URL(server.uiUrl ?? '').origin });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
});

test('a key that the codec server lacks leaves its payloads as they are, and the others are shown', async () => {
  const ask = async (where: string, payloads: object[]): Promise<object[]> => {
    const response = await fetch(`${codecUrl}/${where}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify({ payloads }),
    });
    return ((await response.json()) as { payloads: object[] }).payloads;
  };
  const plain = { metadata: { encoding: base64('json/plain') }, data: base64('"text"') };
  const encrypted = { metadata: { encoding: base64('binary/encrypted') }, data: base64('gone') };
  const [sealed = {}] = await ask('encode', [plain]);
  expect(JSON.stringify(sealed)).not.toContain(plain.data);
  expect(await ask('decode', [sealed, encrypted, plain])).toEqual([plain, encrypted, plain]);
});

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
