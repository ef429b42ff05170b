import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../../../../test/support/eventually.ts';
import { calls, script } from '../../../../test/support/system.ts';
import { findTemporalCli } from '../../dev/temporal-cli.ts';
import { askToSpend, decideOnce, untilCompleted } from '../../service/test/decide-over-http.ts';
import { startHttpSuite, type HttpSuite } from '../../service/test/support/http-suite.ts';

let suite: HttpSuite;
let folder: string;

beforeAll(async () => {
  suite = await startHttpSuite();
  folder = mkdtempSync(join(tmpdir(), 'agent-once-story-'));
  const prices = join(folder, 'prices.json');
  writeFileSync(prices, '{"scripted-priced":{"input":1,"output":10}}');
  await suite.system.startWorker({ MODEL_PRICES_FILE: prices });
});
afterAll(async () => {
  await suite?.close();
  if (folder) rmSync(folder, { recursive: true });
});

interface Sent {
  key?: string;
  form?: Record<string, string>;
}

function visit(path: string, { key = suite.key, form }: Sent = {}): Promise<Response> {
  return fetch(`${suite.service.url}${path}`, {
    redirect: 'manual',
    headers: {
      cookie: `agent_once_key=${key}`,
      ...(form ? { 'sec-fetch-site': 'same-origin' } : {}),
    },
    ...(form ? { method: 'POST', body: new URLSearchParams(form) } : {}),
  });
}

/** What a page says, without its markup. */
async function read(path: string, sent?: Sent): Promise<{ html: string; text: string }> {
  const answer = await visit(path, sent);
  expect([path, answer.status]).toEqual([path, 200]);
  const html = await answer.text();
  const text = html.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');
  return { html, text: text.replaceAll('&quot;', '"').replaceAll('&#39;', "'") };
}

async function untilEnded(id: string): Promise<string> {
  return eventually(async () => {
    const answer = await suite.send('GET', `/v1/runs/${id}`, { headers: { prefer: 'wait=10' } });
    const { status } = (await answer.json()) as { status: string };
    if (status === 'running' || status === 'waiting') throw new Error(`${id} is ${status}`);
    return status;
  });
}

/** Sends the form of a button, as the page has drawn it. */
async function press(id: string, path: string, more: Record<string, string> = {}): Promise<string> {
  const { html } = await read(`/app/runs/${id}`);
  const form = new RegExp(`<form method="post" action="/app/runs/${id}/${path}".*?</form>`, 's');
  const [drawn = ''] = form.exec(html) ?? [];
  const fields = [...drawn.matchAll(/name="([^"]+)"\s+value="([^"]*)"/g)].map(
    ([, name = '', value = '']) => [name, value] as const,
  );
  const answer = await visit(`/app/runs/${id}/${path}`, {
    form: { ...Object.fromEntries(fields), ...more },
  });
  expect([path, answer.status]).toEqual([path, 303]);
  return (answer.headers.get('location') ?? '').replace('/app/runs/', '');
}

test('a run that met its limit of turns is resumed with more, and says why each execution began', async () => {
  const look = (label: string) => calls(['look', { label }]);
  const input = script(look('a'), look('b'), look('c'), { say: 'ok' });
  await suite.start('"short"', { input }, { agent: 'short' });
  const id = 'agent-short-short';
  expect(await untilEnded(id)).toBe('failed');
  const failed = await read(`/app/runs/${id}`);
  expect(failed.html).toMatch(/name="turns"\s+value="4"/);
  expect(failed.text).toContain('Resume it, before');
  expect(failed.text).toMatch(/kept, not run again: .*t1\.c0 look at a/);

  await press(id, 'resume', { turns: '8' });
  expect(await untilEnded(id)).toBe('completed');
  const { text } = await read(`/app/runs/${id}`);
  expect(text).toMatch(
    /Executions 1\. new, failed .* 2\. resume of 1 with 8 turns at most, completed/,
  );
  expect(text).toContain('nothing is known to have been paid twice or made twice');
  expect(text).toContain('Nothing is left to do');
  // The worker is named to whoever may know it.
  expect(text).toMatch(/token \S+:t1\.c0 , process \d+ on /);
  const reader = await suite.keys.keyOf('default', ['read']);
  expect((await read(`/app/runs/${id}`, { key: reader })).text).not.toMatch(/process \d+ on/);
});

test('a forgotten run is started again by its button: what it makes again is said, with the run before', async () => {
  const input = script(calls(['charge', { label: 'again' }]), { say: 'ok' });
  await suite.start('"again"', { input });
  const id = 'agent-tester-again';
  await untilEnded(id);
  expect((await suite.send('POST', `/v1/runs/${id}/forget`)).ok).toBe(true);
  const forgotten = await read(`/app/runs/${id}`);
  expect(forgotten.text).toMatch(/would be made AGAIN: t1\.c0 charge again/);
  const [execution = ''] = /(?<=name="execution"\s+value=")[^"]+/.exec(forgotten.html) ?? [];
  const unsure = await visit(`/app/runs/${id}/start`, { form: { execution } });
  expect([unsure.status, suite.system.counter.requests('charge:again')]).toEqual([400, 1]);
  const stale = await visit(`/app/runs/${id}/start`, {
    form: { execution: randomUUID(), sure: 'yes' },
  });
  expect(stale.status).toBe(409);

  expect(await press(id, 'start', { sure: 'yes' })).toBe(id);
  expect(await untilEnded(id)).toBe('completed');
  expect(suite.system.counter.requests('charge:again')).toBe(2);
  const { html, text } = await read(`/app/runs/${id}`);
  expect(text).toContain('made again');
  expect(text).toMatch(/an earlier run had made the same: \S+:t1\.c0/);
  expect(text).toMatch(/Earlier runs under this key execution 1: completed · 3 steps/);
  expect(text).toMatch(/twice made by an earlier run and AGAIN by this one: t1\.c0/);
  // Its own steps have their addresses once, whatever earlier runs had.
  expect(html.match(/id="t1\.c0"/g)).toHaveLength(1);
});

test('a link to a question leads to its place before the answer and after it', async () => {
  await askToSpend(suite, 'linked');
  const path = '/app/runs/agent-tester-linked';
  const asks = (await read(path)).html;
  expect(asks.match(/id="t1\.c0"/g)).toHaveLength(1);
  expect(asks).toMatch(/<section class="card question" id="t1\.c0"/);
  await decideOnce(suite, 'linked', { decision: 'approve' });
  await untilCompleted(suite, 'linked');
  const answered = await visit(`${path}/questions/t1.c0`);
  expect([answered.status, answered.headers.get('location')]).toEqual([303, `${path}#t1.c0`]);
  const told = (await read(path)).html;
  expect(told.match(/id="t1\.c0"/g)).toHaveLength(1);
  expect(told).toMatch(/<li class="step completed" id="t1\.c0"/);
});

test('a question shows the arguments as the tool will get them, and what the model wrote', async () => {
  const input = script(calls(['pay', { label: 'x', amount: 300 }]), { say: 'ok' });
  await suite.start('"parsed"', { input }, { agent: 'editor' });
  const path = '/app/runs/agent-editor-parsed';
  await eventually(async () => expect((await read(path)).text).toContain('It will run with'));
  const { text } = await read(`${path}/questions/t1.c0`);
  expect(text).toMatch(
    /It will run with these arguments \{ "label": "x", "amount": 300, "currency": "EUR" \} As the model gave them, before the tool's schema was applied \{ "label": "x", "amount": 300 \}/,
  );
});

test('whoever may not do what comes next is told its command', async () => {
  await askToSpend(suite, 'told');
  const reader = await suite.keys.keyOf('default', ['read']);
  const { text, html } = await read('/app/runs/agent-tester-told', { key: reader });
  for (const command of [
    'approve tester told t1.c0',
    'deny tester told t1.c0',
    'cancel tester told',
  ]) {
    expect(text).toContain(`agent-once ${command}`);
  }
  expect(html.match(/<form/g)).toHaveLength(1);
});

test('what runs now is shown: the step, its attempt and where', async () => {
  await suite.start('"busy"', { input: script(calls(['endless', {}])) });
  await eventually(() => expect(suite.system.counter.requests('endless:begun')).toBeGreaterThan(0));
  const { text } = await read('/app/runs/agent-tester-busy');
  expect(text).toMatch(
    /Now turn 1 \(limit 8\) endless : attempt 1 is under way on process \d+ on /,
  );
  expect(text).toMatch(/no sign of life yet|last sign of life/);
  expect(text).toContain('It goes on by itself');
  await press('agent-tester-busy', 'cancel');
  expect(await untilEnded('agent-tester-busy')).toBe('cancelled');
});

test('a step that is paused in Temporal goes on by the command that the page shows', async () => {
  const { counter, temporal, env } = suite.system;
  counter.hold('look:paused');
  await suite.start('"paused"', {
    input: script(calls(['look', { label: 'paused' }]), { say: 'ok' }),
  });
  await eventually(() => expect(counter.requests('look:paused')).toBe(1));
  await temporal.workflowService.pauseActivity({
    namespace: temporal.options.namespace,
    execution: { workflowId: 'agent-tester-paused' },
    type: 'tool.look',
  });
  const path = '/app/runs/agent-tester-paused';
  const { html, text } = await read(path);
  expect(text).toContain('look : attempt 1 is paused in Temporal');
  const [, command = ''] = /<code data-command="">(temporal .*?)<\/code>/.exec(html) ?? [];
  const typed = command.replaceAll('&#39;', "'").replaceAll('&quot;', '"');
  await promisify(execFile)('sh', ['-c', typed], {
    timeout: 60_000,
    env: { ...env, PATH: `${dirname(await findTemporalCli())}:${process.env['PATH'] ?? ''}` },
  });
  await eventually(async () => expect((await read(path)).text).not.toContain('is paused'));
  counter.letGo('look:paused');
  expect(await untilEnded('agent-tester-paused')).toBe('completed');
});

test('the list has the cost of runs that have ended, and filters by it', async () => {
  await suite.start('"priced"', { input: script({ say: 'ok' }) });
  await untilEnded('agent-tester-priced');
  await askToSpend(suite, 'unpriced');
  const rows = async (query: string) => {
    const { html } = await read(`/app/runs?agent=tester&${query}`);
    return [...html.matchAll(/<tr>.*?<\/tr>/gs)].map(([row]) =>
      row.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' '),
    );
  };
  const cost = await eventually(async () => {
    const found = (await rows('')).find((row) => row.includes('tester priced'));
    const [, dollars] = /\$(\d\.\d+)/.exec(found ?? '') ?? [];
    if (dollars === undefined) throw new Error(`It has no cost yet: ${found}`);
    return Number(dollars);
  });
  expect(cost).toBeGreaterThan(0);
  const all = await rows('');
  expect(all.find((row) => row.includes('unpriced'))).not.toContain('$');
  const named = async (atLeast: number) => (await rows(`cost=${atLeast}`)).join('\n');
  expect(await named(cost / 2)).toMatch(/tester priced .*\$/);
  expect(await named(cost / 2)).not.toContain('unpriced');
  expect(await named(cost * 100)).not.toContain('priced');
  expect((await visit('/app/runs?cost=-1')).status).toBe(400);
});
