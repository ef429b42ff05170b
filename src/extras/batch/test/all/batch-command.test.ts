import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { JsonValue } from '../../../../contract/json-value.ts';
import { runCommand, startCli } from '../../../../../test/support/cli.ts';
import { eventually } from '../../../../../test/support/eventually.ts';
import { createTestNamespace } from '../../../../../test/support/namespace.ts';
import {
  calls,
  script,
  startTestSystem,
  type TestSystem,
} from '../../../../../test/support/system.ts';

let system: TestSystem;
let folder: string;

beforeAll(async () => {
  system = await startTestSystem();
  await system.startWorker();
  folder = await mkdtemp(path.join(os.tmpdir(), 'agent-once-batch-'));
});
afterAll(async () => {
  await system.close();
  await rm(folder, { recursive: true });
});

const newKey = () => `b-${randomUUID()}`;

interface Line {
  line: number;
  status: string;
  result: unknown;
  error: { code: string } | null;
  replayed: boolean;
  resumed: boolean;
  runId: string;
}

function env(more: Record<string, string> = {}) {
  return { ...system.env, TEST_AGENTS: 'of workers', ...more };
}

function command(key: string, file: string, ...flags: string[]): string[] {
  return ['start', 'tester', '--batch', file, '--key', key, ...flags];
}

async function writeLines(lines: readonly (JsonValue | undefined)[]): Promise<string> {
  const file = path.join(folder, `${randomUUID()}.jsonl`);
  const text = lines.map((line) => (line === undefined ? '' : JSON.stringify(line)));
  await writeFile(file, text.join('\n'));
  return file;
}

async function batch(args: string[], more: Record<string, string> = {}, stdin = '') {
  const result = await runCommand(args, env(more), stdin);
  const json = args.includes('--json') ? JSON.parse(result.stdout) : undefined;
  const runs: Line[] = [...(json?.runs ?? [])].sort((a, b) => a.line - b.line);
  return { ...result, json, runs };
}

/** An input of two model calls and a charge. */
function charging(label: string, delayMs = 0): JsonValue {
  return script(calls(['charge', { label }]), { say: `charged ${label}`, delayMs });
}

test('one run a line, under KEY:LINE; empty lines have a number and no run', async () => {
  const key = newKey();
  const file = await writeLines([script({ say: 'a' }), undefined, 'text', script({ say: 'b' })]);
  const { code, json, runs, stderr } = await batch(command(key, file, '--json'));
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/3 of 3/) });
  expect(json).toMatchObject({
    agent: 'tester',
    tenant: 'default',
    key,
    counts: { lines: 3, completed: 3, replayed: 0, failed: 0, conflicts: 0, notStarted: 0 },
    usage: { turns: 3, modelCalls: 3 },
    error: null,
  });
  expect(runs).toMatchObject([
    { line: 1, key: `${key}:1`, status: 'completed', result: 'a', replayed: false },
    { line: 3, key: `${key}:3`, status: 'completed' },
    { line: 4, key: `${key}:4`, status: 'completed', result: 'b' },
  ]);
  expect(await system.client.describe({ agent: 'tester', key: `${key}:4` })).toMatchObject({
    result: 'b',
  });

  const again = await batch(command(key, file, '--json'));
  expect(again).toMatchObject({ code: 0, json: { counts: { completed: 3, replayed: 3 } } });
  expect(again.runs.map(({ runId }) => runId)).toEqual(runs.map(({ runId }) => runId));
});

test('killed in the middle and run again: a run a line, and no step twice', async () => {
  const key = newKey();
  const total = 24;
  const labels = Array.from({ length: total }, (_, index) => `${key}-${index + 1}`);
  const file = await writeLines(labels.map((label) => charging(label, 50)));
  const args = command(key, file, '--concurrency', '4', '--json');
  const before = await system.modelRequests();
  const first = startCli(args, env());
  const charged = () => labels.filter((label) => system.counter.requests(`charge:${label}`) > 0);
  // However late this test learns of it: the command cannot have come to the last line.
  const held = labels.slice(12).map((label) => `charge:${label}`);
  for (const name of held) system.counter.hold(name);
  await eventually(() => expect(charged().length).toBeGreaterThan(5));
  first.child.kill('SIGKILL');
  await first.ended;
  for (const name of held) system.counter.letGo(name);
  const begun = charged().length;
  expect(begun).toBeLessThan(total);

  const { code, json, runs } = await batch(args);
  expect({ code, counts: json.counts }).toMatchObject({ code: 0, counts: { completed: total } });
  expect(json.counts.replayed).toBeGreaterThanOrEqual(begun);
  expect(json.counts.replayed).toBeLessThan(total);
  expect(runs.map(({ result }) => result)).toEqual(labels.map((label) => `charged ${label}`));
  for (const label of labels) expect(system.counter.requests(`charge:${label}`)).toBe(1);
  const after = await system.modelRequests();
  expect(after.requests - before.requests).toBe(2 * total);
  await eventually(async () => {
    const query = `WorkflowId STARTS_WITH "agent-tester-${key}:"`;
    expect((await system.temporal.workflow.count(query)).count).toBe(total);
  });
});

test('failed lines are named, and resumed with --retry-failed', async () => {
  const key = newKey();
  const lines = [1, 2, 3].map((line) => charging(`${key}-${line}`));
  const file = await writeLines(lines);
  system.counter.fail(`charge:${key}-2`);
  const { code, stdout, stderr } = await batch(command(key, file));
  expect(code).toBe(4);
  expect(stdout).toMatch(/^batch {2}tester /);
  expect(stdout).toMatch(/completed +2 of 3\n/);
  expect(stdout).toMatch(new RegExp(`failed +1\n +line 2 +${key}:2 +tool\\.failed: `));
  expect(stdout).toMatch(/usage +.*5 model calls/);
  expect(stderr).toMatch(/Resume what failed.*--batch .*--retry-failed/);

  // Asked again without it, it has failed still.
  expect(await batch(command(key, file, '--json'))).toMatchObject({
    code: 4,
    json: { counts: { completed: 2, replayed: 2, failed: 1, resumed: 0 } },
  });
  system.counter.heal(`charge:${key}-2`);
  const resumed = await batch(command(key, file, '--retry-failed', '--json'), {
    TEST_INSTRUCTIONS: 'Be quick about it.',
  });
  expect(resumed).toMatchObject({
    code: 0,
    json: { counts: { completed: 3, replayed: 2, failed: 0, resumed: 1 } },
  });
  expect(resumed.runs[1]).toMatchObject({ line: 2, resumed: true, definitionChanged: true });
  expect(resumed.stderr).toMatch(/definition has changed since 1 of the resumed runs/);
  expect(system.counter.effects(`charge:${key}-2`)).toBe(1);
});

test('failed lines are resumed with another model; the others stay, and the commands to type name it', async () => {
  const key = newKey();
  const lines = [1, 2].map((line) => charging(`${key}-${line}`));
  const file = await writeLines(lines);
  system.counter.fail(`charge:${key}-2`);
  await batch(command(key, file));
  const other = ['--retry-failed', '--model', 'model-b', '--reasoning-effort', 'low'];
  const failed = await batch(command(key, file, ...other));
  expect(failed).toMatchObject({ code: 4 });
  expect(failed.stderr).toMatch(/Resume .* --model model-b --reasoning-effort low --retry-failed/);
  system.counter.heal(`charge:${key}-2`);
  const resumed = await batch(command(key, file, ...other, '--json'));
  expect(resumed).toMatchObject({
    code: 0,
    json: { counts: { completed: 2, replayed: 1, conflicts: 0, resumed: 1 } },
  });
});

test('a file that has changed under its key: its lines are named, the others run', async () => {
  const key = newKey();
  await batch(command(key, await writeLines([script({ say: 'a' }), script({ say: 'b' })])));
  const changed = await writeLines([script({ say: 'a' }), 'new', script({ say: 'c' })]);
  const { code, json, runs, stderr } = await batch(command(key, changed, '--json'));
  expect(code).toBe(3);
  expect(json.counts).toMatchObject({ completed: 2, replayed: 1, conflicts: 1, failed: 0 });
  expect(runs[1]).toMatchObject({ line: 2, status: 'conflict', error: { code: 'key.conflict' } });
  expect(stderr).toMatch(/changed under its key: line 2\./);
});

test('a bad line is named, and nothing starts', async () => {
  const key = newKey();
  const file = path.join(folder, 'bad.jsonl');
  await writeFile(file, '"fine"\n\n{"secret":1,"secret":2}\n{"a":\n"fine too"\n');
  const { code, json, stderr } = await batch(command(key, file, '--json'));
  expect({ code, error: json.error }).toEqual({
    code: 2,
    error: {
      code: 'input.invalid',
      message: expect.stringMatching(
        /^Line 3: .*duplicate member.*Also bad: line 4\..*Nothing of the batch was started/,
      ),
    },
  });
  expect(stderr).not.toContain('secret');
  await expect(system.client.describe({ agent: 'tester', key: `${key}:1` })).rejects.toMatchObject({
    code: 'run.not_found',
  });

  await writeFile(file, Buffer.from([0x22, 0xfc, 0x22]));
  expect(await batch(command(key, file, '--json'))).toMatchObject({
    code: 2,
    json: { error: { code: 'input.invalid', message: expect.stringMatching(/Line 1 .*UTF-8/) } },
  });
  await writeFile(file, '\n  \n');
  expect(await batch(command(key, file, '--json'))).toMatchObject({
    code: 2,
    json: { error: { code: 'usage', message: expect.stringMatching(/no line with an input/) } },
  });
});

test('Ctrl-C starts no more lines, lets those under way go on, and says how to go on', async () => {
  const key = newKey();
  const labels = Array.from({ length: 12 }, (_, index) => `${key}-${index + 1}`);
  const file = await writeLines(labels.map((label) => charging(label, 1_000)));
  const args = command(key, file, '--concurrency', '2', '--json');
  const running = startCli(args, env());
  await eventually(() => expect(system.counter.requests(`charge:${labels[0]}`)).toBe(1));
  running.child.kill('SIGINT');
  const { code, stdout, stderr } = await running.ended;
  expect(code).toBe(130);
  const { counts } = JSON.parse(stdout);
  expect(counts.underWay).toBeGreaterThan(0);
  expect(counts.notStarted).toBeGreaterThan(0);
  expect(counts.completed + counts.underWay + counts.notStarted).toBe(12);
  expect(stderr).toMatch(
    new RegExp(`Stopped: .* not begun\\. Go on with the same command.*--batch .*--key ${key}`),
  );
  expect(await batch(command(key, file, '--json'))).toMatchObject({
    code: 0,
    json: { counts: { completed: 12 } },
  });
  for (const label of labels) expect(system.counter.requests(`charge:${label}`)).toBe(1);
});

test('without a worker says so; at the deadline of --wait ends with 7', async () => {
  const file = await writeLines(['a', 'b', 'c']);
  const args = command(newKey(), file, '--concurrency', '2', '--wait=5', '--json');
  const lonely = { TEMPORAL_NAMESPACE: await createTestNamespace() };
  const { code, json, stderr } = await batch(args, lonely);
  expect({ code, counts: json.counts }).toMatchObject({
    code: 7,
    counts: { completed: 0, underWay: 2, notStarted: 1 },
  });
  expect(stderr).toMatch(/no worker is polling/);
});

test('from standard input, for a tenant, with other limits', async () => {
  const key = newKey();
  const stdin = `${JSON.stringify(script({ say: 'piped' }))}\r\n${JSON.stringify(
    script(calls(['look', { label: key }]), { say: 'never' }),
  )}\r\n`;
  const args = command(key, '-', '--tenant', 'acme', '--max-turns', '1', '--json');
  const { code, runs } = await batch(args, {}, stdin);
  expect({ code, runs }).toMatchObject({
    code: 4,
    runs: [
      { status: 'completed', result: 'piped', workflowId: `agent-acme.tester-${key}:1` },
      { status: 'failed', error: { code: 'run.turn_limit' } },
    ],
  });
});

test('nobody at the address: 6, and one document', async () => {
  const file = await writeLines(['a']);
  const nowhere = { TEMPORAL_ADDRESS: '127.0.0.1:1' };
  expect(await batch(command('k', file, '--json'), nowhere)).toMatchObject({
    code: 6,
    json: { error: { code: 'temporal.unreachable' } },
  });
});

test('10,000 lines are checked before the first is started', async () => {
  const lines: string[] = Array.from({ length: 10_000 }, (_, index) => `order ${index}`);
  const file = path.join(folder, 'large.jsonl');
  const text = lines.map((line) => JSON.stringify(line)).join('\n');
  await writeFile(file, `${text}\nnot JSON`);
  const key = newKey();
  expect(await batch(command(key, file, '--json'))).toMatchObject({
    code: 2,
    json: { error: { message: expect.stringMatching(/^Line 10001: /) } },
  });
  await expect(system.client.describe({ agent: 'tester', key: `${key}:1` })).rejects.toMatchObject({
    code: 'run.not_found',
  });
});
