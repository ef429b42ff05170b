import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { onTerminal, startCli, type RunningCli } from '../../../../test/support/cli.ts';
import { eventually } from '../../../../test/support/eventually.ts';
import { testWith } from '../../../../test/support/extras.ts';
import {
  calls,
  script,
  startTestSystem,
  type TestSystem,
} from '../../../../test/support/system.ts';
import { untilEnd } from '../../../../test/support/until-end.ts';
import { sha256Base64url, sha256Hex } from '../../../contract/hash.ts';

type Line = Record<string, unknown>;

const TELEMETRY_KEY = 'a-key-of-the-operators-4711';
const KEY = 'planted-key-4712';

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(() => system.close());

/** The command itself, with all that the composition adds to it. */
function start(args: string[], env: Record<string, string> = {}): RunningCli {
  return startCli(args, { ...system.env, TEST_AGENTS: 'of workers', ...env });
}

async function untilReady(command: RunningCli): Promise<void> {
  const ended = command.ended.then(({ stderr }) => {
    throw new Error(`The command ended before it was ready:\n${stderr}`);
  });
  const ready = eventually(() => expect(command.stderr()).toMatch(/ is ready: /));
  await Promise.race([ready, ended]);
}

async function stop({ child, ended }: RunningCli): Promise<Line[]> {
  child.kill('SIGTERM');
  const { stdout, stderr } = await ended;
  const lines = `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Line);
}

const hmac = (name: string): string =>
  createHmac('sha256', TELEMETRY_KEY).update(name).digest('hex').slice(0, 32);

describe('a worker whose output is no terminal', () => {
  const runs: Record<string, { workflowId: string; runId: string }> = {};
  let lines: Line[];

  beforeAll(async () => {
    const worker = start(['worker'], { AGENT_ONCE_TELEMETRY_KEY: TELEMETRY_KEY });
    await untilReady(worker);
    for (const [key, failures] of [
      [KEY, 1],
      [`${KEY}-fails`, 3],
    ] as const) {
      const input = script(calls(['flaky', { failures }]), { say: 'done' });
      const run = await system.client.start({ agent: 'tester', key, input });
      runs[key] = run;
      await untilEnd(system.client, run);
    }
    const input = script(calls(['odd', { how: 'lines' }]), { say: 'done' });
    await untilEnd(
      system.client,
      await system.client.start({ agent: 'tester', key: `${KEY}-odd`, input }),
    );
    lines = await stop(worker);
  });

  test('writes each line as JSON, what the command says and Temporal says among them', () => {
    for (const line of lines) {
      expect(line).toMatchObject({ level: expect.any(String), msg: expect.any(String) });
      expect(line).toMatchObject({ part: 'worker', pid: expect.any(Number) });
      expect(Date.parse(String(line['time']))).not.toBeNaN();
    }
    expect(lines.map(({ msg }) => msg)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^Worker \d+ is ready/), 'Workflow failed']),
    );
    const ofCore = lines.filter(({ target }) => String(target).startsWith('temporalio_sdk_core'));
    expect(ofCore).not.toEqual([]);
  });

  test('says of each failed attempt one line, with all that names it', () => {
    const run = runs[KEY];
    expect(lines.filter((line) => line['run'] === run?.runId)).toEqual([
      {
        level: 'info',
        part: 'worker',
        pid: expect.any(Number),
        hostname: expect.any(String),
        time: expect.any(String),
        msg: 'An attempt of a step failed',
        run: run?.runId,
        agent: 'tester',
        tenant: 'default',
        keyHash: hmac(run?.workflowId ?? ''),
        turn: 1,
        step: 't1.c0',
        tokenHash: hmac(`${run?.runId}:t1.c0`),
        attempt: 1,
        activityType: 'tool.flaky',
        taskQueue: 'agent-once',
        err: { type: 'tool.failed', message: 'Error: failure 1' },
      },
    ]);
  });

  test('warns of the last attempt, after which the step has failed', () => {
    const { runId } = runs[`${KEY}-fails`] ?? {};
    const said = lines.filter((line) => line['run'] === runId);
    expect(said.map(({ level, msg, attempt }) => [level, msg, attempt])).toEqual([
      ['info', 'An attempt of a step failed', 1],
      ['info', 'An attempt of a step failed', 2],
      ['warn', 'A step failed', 3],
      ['warn', 'Workflow failed', undefined],
    ]);
  });

  test("keeps a tool's text in its line, and steers no terminal with it", () => {
    const said = lines.filter(({ msg }) => String(msg).includes('[INFO] Refunded'));
    expect(said).toHaveLength(2);
    expect(said[0]).toMatchObject({ level: 'info', step: 't1.c0', attempt: 1 });
  });
});

testWith('service')('the service logs in the same shape, and names no key', async () => {
  const service = start(['serve', '--open', '--port', '0'], {
    AGENT_ONCE_TELEMETRY_KEY: TELEMETRY_KEY,
  });
  await untilReady(service);
  const [, url] = /(http:\S+\d),/.exec(service.stderr()) ?? [];
  const key = `${KEY}-http`;
  const begun = await fetch(`${url}/v1/agents/tester/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify({ input: script({ say: 'done' }) }),
  });
  const { id, runId } = (await begun.json()) as { id: string; runId: string };
  await fetch(`${url}/v1/runs/${id}`);
  const lines = await stop(service);

  const done = lines.filter(({ msg }) => msg === 'request completed');
  const run = { agent: 'tester', tenant: 'default', keyHash: hmac(id) };
  expect(done).toMatchObject([
    { level: 'info', part: 'service', run: runId, ...run, res: { statusCode: 202 } },
    { level: 'info', part: 'service', ...run, req: { method: 'GET', url: '/v1/runs/:id' } },
  ]);
  for (const line of lines) expect(Date.parse(String(line['time']))).not.toBeNaN();
  expectNoKey(lines, key);
});

test('on a terminal a worker writes for a person, in the same words', async () => {
  const key = `${KEY}-terminal`;
  const input = script(calls(['flaky', { failures: 1 }]), { say: 'done' });
  await system.client.start({ agent: 'tester', key, input });
  const env = { ...system.env, TEST_AGENTS: 'of workers', TERM: 'xterm-256color' };
  // Ctrl-C, once the line is there.
  const { output } = await onTerminal(['worker'], env, '\u0003', 'An attempt of a step failed');
  expect(output).toMatch(
    /^\u001b\[2m20\S+Z\u001b\[22m \[INFO\] An attempt of a step failed err="tool\.failed: Error: failure 1"\u001b\[2m run=\S+ agent=tester .*step=t1\.c0 /m,
  );
  expect(output).not.toContain(key);
});

test('no line has a key or its plain hash, also with all that is logged for debugging', async () => {
  const worker = start(['worker'], { AGENT_ONCE_LOG_LEVEL: 'debug' });
  await untilReady(worker);
  const key = `${KEY}-debug`;
  const input = script(calls(['flaky', { failures: 1 }]), { say: 'done' });
  const run = await system.client.start({ agent: 'tester', key, input });
  await untilEnd(system.client, run);
  const lines = await stop(worker);

  const ofRun = lines.filter((line) => line['run'] === run.runId);
  expect(ofRun.map(({ msg }) => msg)).toEqual(expect.arrayContaining(['Activity started']));
  const [why] = ofRun.filter(({ msg }) => msg === 'Why an attempt of a step failed');
  expect(why).toMatchObject({ err: { stack: expect.stringMatching(/test-agents/) } });
  expectNoKey(lines, key);
  // Without a key of the operator's there is no other name for it.
  for (const line of lines) expect(Object.keys(line)).not.toContain('keyHash');
});

function expectNoKey(lines: readonly Line[], key: string): void {
  expect(lines).not.toEqual([]);
  const text = JSON.stringify(lines);
  const inBase64 = (text.match(/[A-Za-z0-9+/]{16,}={0,2}/g) ?? []).map((found) =>
    Buffer.from(found, 'base64').toString('latin1'),
  );
  for (const form of [key, sha256Base64url(key), sha256Hex(key)]) {
    expect(text).not.toContain(form);
    expect(inBase64.filter((decoded) => decoded.includes(form))).toEqual([]);
  }
}
