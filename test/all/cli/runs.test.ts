import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { NO_USAGE, type RunState } from '../../../src/contract/run.ts';
import { runBin, runCommand, startCli } from '../../support/cli.ts';
import { hasExtra, testWith } from '../../support/extras.ts';
import { startClientSuite, type ClientSuite } from '../../support/client-suite.ts';
import { eventually } from '../../support/eventually.ts';
import { temporalAddress } from '../../support/servers.ts';

let suite: ClientSuite;
let env: Record<string, string>;
let folder: string;

beforeAll(async () => {
  suite = await startClientSuite();
  env = { TEMPORAL_ADDRESS: temporalAddress(), TEMPORAL_NAMESPACE: suite.namespace };
  folder = await mkdtemp(path.join(os.tmpdir(), 'agent-once-cli-'));
});
afterAll(async () => {
  await suite.close();
  await rm(folder, { recursive: true });
});

const newKey = () => `k-${randomUUID()}`;
const usage = { ...NO_USAGE, turns: 1, modelCalls: 1, inputTokens: 10, costUsd: 0.5 };

async function cli(...args: string[]) {
  const result = await runCommand(args, env);
  const json = args.includes('--json') ? JSON.parse(result.stdout) : undefined;
  return { ...result, json };
}

/** A run that ended so. */
async function ended(end: 'completed' | 'failed', output: unknown = 'All done.\nReally.') {
  const key = newKey();
  const { workflowId } = await suite.client.start({ agent: 'assistant', key, input: 'x' });
  if (end === 'completed') await suite.worker.complete(workflowId, { output, usage });
  else {
    const details = [{ usage }];
    await suite.worker.fail(workflowId, {
      type: 'model.refused',
      message: 'It declined.',
      details,
    });
  }
  return { key, workflowId };
}

describe('start', () => {
  test('a new run, the same again, another input', async () => {
    const key = newKey();
    const start = ['start', 'assistant', '--key', key, '--json'];
    const first = await cli(...start, '--input', 'x');
    expect(first).toMatchObject({
      code: 0,
      json: {
        workflowId: `agent-assistant-${key}`,
        runId: expect.any(String),
        agent: 'assistant',
        tenant: 'default',
        key,
        status: 'running',
        replayed: false,
        result: null,
        error: null,
        usage: {
          turns: 0,
          modelCalls: 0,
          toolCalls: 0,
          inputTokens: 0,
          outputTokens: 0,
          costUsd: 0,
        },
      },
    });
    // One document, on one line.
    expect(first.stdout.trim().split('\n')).toHaveLength(1);

    const again = await cli(...start, '--input', 'x');
    expect(again).toMatchObject({ code: 0, json: { runId: first.json.runId, replayed: true } });
    expect(again.stderr).toMatch(/Replayed/);

    const other = await cli(...start, '--input', 'y');
    expect(other).toMatchObject({ code: 3, json: { error: { code: 'key.conflict' } } });
  });

  test('with a priority, from 1 to 5', async () => {
    const start = ['start', 'assistant', '--input', 'x', '--json', '--priority'];
    const { json } = await cli(...start, '2');
    const { raw } = await suite.temporal.workflow.getHandle(json.workflowId).describe();
    expect(raw.workflowExecutionInfo?.priority?.priorityKey).toBe(2);
    const { code, stderr } = await runCommand([...start, '6'], env);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('from 1 to 5') });
  });

  test('for people: the run on stdout, what to do next on stderr', async () => {
    const key = newKey();
    const { code, stdout, stderr } = await cli('start', 'assistant', '--key', key, '--input', 'x');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      new RegExp(`^running  assistant ${key}\n[\\s\\S]*agent-assistant-${key}`),
    );
    expect(stderr).toContain(`agent-once result assistant ${key} --wait`);
    expect(stdout + stderr).not.toContain('\u001b');
  });

  test('without a key: tells the one it made', async () => {
    const { json, stderr } = await cli('start', 'assistant', '--input', 'x', '--json');
    expect(json).toMatchObject({
      keyGenerated: true,
      key: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(stderr).toContain(json.key);
  });

  test('an input is the same from wherever it comes', async () => {
    const key = newKey();
    const start = ['start', 'assistant', '--key', key, '--json'];
    const json = path.join(folder, 'input.json');
    await writeFile(json, '{ "b": [1, 2.0], "a": "ü" }\n');
    const first = await cli(...start, '--input-json', '{"a":"\\u00fc","b":[1,2]}');
    expect(await cli(...start, '--input-file', json)).toMatchObject({
      code: 0,
      json: { runId: first.json.runId, replayed: true },
    });

    const other = ['start', 'assistant', '--key', newKey(), '--json'];
    const text = path.join(folder, 'input.txt');
    await writeFile(text, '{"a":1}');
    await cli(...other, '--input', '{"a":1}');
    expect(await cli(...other, '--input-file', text)).toMatchObject({ json: { replayed: true } });
    const piped = await runCommand([...other, '-'], env, '{"a":1}');
    expect(JSON.parse(piped.stdout)).toMatchObject({ replayed: true });
    expect(await cli(...other, '--input-json', '{"a":1}')).toMatchObject({ code: 3 });
  });

  test('a model of its own is part of the request', async () => {
    const start = ['start', 'assistant', '--key', newKey(), '--input', 'x', '--json'];
    expect(await cli(...start, '--model', 'm')).toMatchObject({ code: 0 });
    expect(await cli(...start)).toMatchObject({ code: 3 });
  });

  test('a key whose run has ended: its outcome, and an exit code that says so', async () => {
    const good = await ended('completed', { ok: true });
    const start = ['start', 'assistant', '--input', 'x', '--json', '--key'];
    expect(await cli(...start, good.key)).toMatchObject({
      code: 0,
      json: { status: 'completed', result: { ok: true }, usage, replayed: true },
    });
    const bad = await ended('failed');
    expect(await cli(...start, bad.key)).toMatchObject({
      code: 4,
      json: { status: 'failed', error: { code: 'model.refused', message: 'It declined.' }, usage },
    });
  });
});

describe('--wait', () => {
  test('says that nobody has picked the run up, and ends with 7 at the deadline', async () => {
    const lonely = await startClientSuite();
    try {
      const args = ['start', 'assistant', '--key', 'k', '--input', 'x', '--wait=3', '--json'];
      const result = await runCommand(args, { ...env, TEMPORAL_NAMESPACE: lonely.namespace });
      expect(result.code).toBe(7);
      expect(result.stderr).toMatch(/Nobody has picked the run up.*agent-once worker/);
      expect(JSON.parse(result.stdout)).toMatchObject({
        status: 'running',
        replayed: false,
        error: { code: 'run.still_running' },
      });
    } finally {
      await lonely.close();
    }
  });

  test('where no worker polls, each command says in the same words how to start one', async () => {
    const lonely = await startClientSuite();
    try {
      await lonely.client.start({ agent: 'assistant', key: 'k', input: 'x' });
      const here = {
        ...env,
        TEMPORAL_NAMESPACE: lonely.namespace,
        // None: what is said does not need it.
        LEDGER_URL: 'postgres://127.0.0.1:1/none',
      };
      const asked = hasExtra('explain') ? [['explain']] : [];
      for (const args of [['status'], ...asked, ['result', '--wait=1']]) {
        const [command = '', ...flags] = args;
        const { stdout, stderr } = await runBin([command, 'assistant', 'k', ...flags], here);
        // As everything is typed in a checkout.
        const named = [
          ...`${stdout}${stderr}`.matchAll(/(\S+ \S*agent-once\S*|agent-once) worker\b/g),
        ];
        expect([command, new Set(named.map(([words]) => words))]).toEqual([
          command,
          new Set(['node bin/agent-once.js worker']),
        ]);
        expect(`${stdout}${stderr}`).toContain('Start one: node bin/agent-once.js worker');
      }
    } finally {
      await lonely.close();
    }
  });

  test('ends with the bare result', async () => {
    const key = newKey();
    const running = startCli(['start', 'assistant', '--key', key, '--input', 'x', '--wait'], env);
    await suite.worker.complete(`agent-assistant-${key}`, { output: 'All done.\nReally.', usage });
    const { code, stdout, stderr } = await running.ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'All done.\nReally.\n' });
    expect(stderr).toMatch(/completed in .*1 turn · 1 model call · 0 tool calls.*\$0\.5/);
  });

  test('ends with 4 when the run fails', async () => {
    const key = newKey();
    const running = startCli(['start', 'assistant', '--key', key, '--input', 'x', '--wait'], env);
    const workflowId = `agent-assistant-${key}`;
    const message = 'It declined.\ncompleted in 1 s\u001b[2J';
    await suite.worker.fail(workflowId, { type: 'model.refused', message });
    const { code, stdout, stderr } = await running.ended;
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    // One line: no text of a model or a tool looks like one of ours.
    expect(stderr).toMatch(/^failed It declined\. completed in 1 s \[2J \(model\.refused\)$/m);
  });

  test('Ctrl-C ends the waiting and says that the run goes on', async () => {
    const key = newKey();
    const running = startCli(['start', 'assistant', '--key', key, '--input', 'x', '--wait'], env);
    await eventually(() => {
      if (!running.stderr().includes('started')) throw new Error('It has not started the run');
    });
    // The line before the waiting begins is written; Node has the handler a moment later.
    await eventually(() => {
      if (!/picked|turn|worker/.test(running.stderr())) throw new Error('It does not wait yet');
    });
    running.child.kill('SIGINT');
    const { code, stderr } = await running.ended;
    expect(code).toBe(130);
    expect(stderr).toMatch(
      new RegExp(`the run goes on.*agent-once result assistant ${key} --wait`),
    );
    expect(await suite.client.describe({ agent: 'assistant', key })).toMatchObject({
      status: 'running',
    });
  });

  test('a run that waits for a person ends it with 8', async () => {
    const key = newKey();
    const { workflowId } = await suite.client.start({ agent: 'assistant', key, input: 'x' });
    await suite.worker.idle(workflowId);
    const state: RunState = {
      status: 'waiting',
      turn: 1,
      maxTurns: 9,
      active: [],
      waiting: [],
      usage,
    };
    const running = startCli(['result', 'assistant', key, '--wait', '--json'], env);
    await suite.worker.answerQuery(state);
    const { code, stdout } = await running.ended;
    expect(code).toBe(8);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'waiting', error: { code: 'run.waiting' } });
  });
});

describe('result', () => {
  test('text as text, JSON as JSON, a failure as exit code 4', async () => {
    const text = await ended('completed');
    expect(await cli('result', 'assistant', text.key)).toMatchObject({
      code: 0,
      stdout: 'All done.\nReally.\n',
    });
    const json = await ended('completed', { a: [1] });
    const { code, stdout } = await cli('result', 'assistant', json.key);
    expect({ code, result: JSON.parse(stdout) }).toEqual({ code: 0, result: { a: [1] } });
    const failed = await ended('failed');
    expect(await cli('result', 'assistant', failed.key)).toMatchObject({ code: 4, stdout: '' });
    expect(await cli('result', 'assistant', failed.key, '--json')).toMatchObject({
      code: 4,
      json: { status: 'failed', error: { code: 'model.refused' } },
    });
  });

  test('a run that has not ended: 7', async () => {
    const key = newKey();
    await suite.client.start({ agent: 'assistant', key, input: 'x' });
    const result = await cli('result', 'assistant', key);
    expect(result).toMatchObject({ code: 7, stdout: '' });
    expect(result.stderr).toContain('--wait');
    expect(await cli('result', 'assistant', key, '--wait=0')).toMatchObject({ code: 7 });
  });
});

describe('resume', () => {
  test('goes on with a failed run without its input, and says so', async () => {
    const { key, workflowId } = await ended('failed');
    const resumed = await cli('resume', 'assistant', key, '--max-turns', '4', '--json');
    expect(resumed).toMatchObject({
      code: 0,
      json: { workflowId, status: 'running', replayed: false, resumed: true },
      stderr: expect.stringMatching(/Resumed: .*nothing that is recorded runs again/),
    });
    // The same resume again is one; with --wait it ends as the run does.
    const again = startCli(['resume', 'assistant', key, '--wait'], env);
    await suite.worker.complete(workflowId, { output: 'Done now.', usage });
    const { code, stdout, stderr } = await again.ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'Done now.\n' });
    expect(stderr).toMatch(/Nothing was resumed: the run (is under way|has completed)\./);
    // Completed: nothing is left to resume, which is no error.
    expect(await cli('resume', 'assistant', key, '--json')).toMatchObject({
      code: 0,
      json: { status: 'completed', result: 'Done now.', replayed: true },
      stderr: expect.stringMatching(/^Nothing was resumed: the run has completed\.$/m),
    });
  });

  test('that cannot be: says why, and names the command that starts a new run', async () => {
    const never = newKey();
    const { key } = await ended('failed');
    await suite.client.forget({ agent: 'assistant', key });
    for (const [what, each] of [
      ['There is no run', never],
      ['was forgotten', key],
    ] as const) {
      const { code, stdout, stderr } = await cli('resume', 'assistant', each);
      expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
      expect(stderr).toContain(what);
      expect(stderr).toContain(`makes a NEW run: agent-once start assistant --key ${each} --input`);
    }
    expect(await cli('resume', 'asistant', never)).toMatchObject({ code: 2 });
  });
});

testWith('decisions').each(['approve', 'deny', 'resolve'])(
  '%s: of a failed run it says how to resume it; of a completed one it does not',
  async (command) => {
    const flags = command === 'resolve' ? ['--fail'] : [];
    const failed = await ended('failed');
    const completed = await ended('completed');
    const ask = async (key: string) => {
      const answer = await cli(command, 'assistant', key, 't1.c0', '--yes', ...flags);
      expect(answer.code).toBe(5);
      return answer.stderr;
    };
    // With nothing behind it that whoever copies it would take for a part of the key.
    expect(await ask(failed.key)).toContain(`agent-once resume assistant ${failed.key} `);
    const stderr = await ask(completed.key);
    expect(stderr).toContain('The run has completed, so nothing was decided.');
    expect(stderr).not.toMatch(/resume|--retry-failed/);
  },
);

describe('status, cancel, list', () => {
  test('status is 0 however the run ended', async () => {
    const { key, workflowId } = await ended('failed');
    expect(await cli('status', 'assistant', key)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^failed  assistant [\s\S]*It declined\. \(model\.refused\)/),
    });
    expect(await cli('status', 'assistant', key, '--json')).toMatchObject({
      code: 0,
      json: { workflowId, status: 'failed', usage },
    });
  });

  test('no such run: 5; no such agent: 2', async () => {
    for (const command of ['status', 'result', 'resume', 'cancel']) {
      expect(await cli(command, 'assistant', newKey(), '--json')).toMatchObject({
        code: 5,
        json: { error: { code: 'run.not_found' } },
      });
    }
    expect(await cli('status', 'asistant', 'k', '--json')).toMatchObject({
      code: 2,
      json: {
        error: { code: 'agent.unknown', message: expect.stringMatching(/assistant, clerk/) },
      },
    });
  });

  test('cancel asks a running run, and leaves an ended one', async () => {
    const key = newKey();
    const { workflowId } = await suite.client.start({ agent: 'assistant', key, input: 'x' });
    expect(await cli('cancel', 'assistant', key)).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/asked to stop/),
    });
    await suite.worker.cancel(workflowId);
    const again = await cli('cancel', 'assistant', key, '--json');
    expect(again).toMatchObject({ code: 0, json: { status: 'cancelled', cancelRequested: false } });
    expect(again.stderr).toMatch(/had ended already/);
    expect(await cli('result', 'assistant', key)).toMatchObject({ code: 4 });
  });

  test('another tenant’s run is another run', async () => {
    const key = newKey();
    const start = ['start', 'assistant', '--key', key, '--input', 'x', '--json', '--tenant'];
    const acme = await cli(...start, 'acme');
    expect(acme.json).toMatchObject({ workflowId: `agent-acme.assistant-${key}`, tenant: 'acme' });
    expect(await cli('status', 'assistant', key)).toMatchObject({ code: 5 });
    expect(await cli('status', 'assistant', key, '--tenant', 'acme')).toMatchObject({ code: 0 });
  });

  test('list shows a table, or one document', async () => {
    const key = newKey();
    await suite.client.start({ agent: 'clerk', tenant: 'acme', key, input: 'x' });
    const list = ['list', '--agent', 'clerk', '--tenant', 'acme', '--status', 'running'];
    const { json } = await eventually(async () => {
      const listed = await cli(...list, '--json');
      expect(listed.json.runs).toHaveLength(1);
      return listed;
    });
    expect(json).toMatchObject({ more: false, runs: [{ agent: 'clerk', key, status: 'running' }] });
    const { code, stdout } = await cli(...list);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      new RegExp(`^STATUS +AGENT +TENANT +.*\nrunning +clerk +acme +.*${key}\n$`),
    );
    expect(await cli('list', '--status', 'completed', '--agent', 'clerk')).toMatchObject({
      code: 0,
      stdout: '',
    });
  });

  test('list marks shadow runs, and names errors and what was forgotten', async () => {
    const tenant = 'marks';
    const start = async (what: string, options?: { shadow: true }) => {
      const ref = { agent: 'clerk', tenant, key: `${what}-${newKey()}` };
      const { workflowId } = await suite.client.start({
        ...ref,
        ...(options ? { options } : {}),
      });
      return { ...ref, workflowId };
    };
    const rehearsed = await start('rehearsed', { shadow: true });
    const failed = await start('failed');
    await suite.worker.fail(failed.workflowId, { type: 'tool.failed', message: 'm' });
    const forgotten = await start('forgotten');
    await suite.worker.complete(forgotten.workflowId, { output: 'secret', usage });
    await suite.client.forget(forgotten);
    const { stdout } = await eventually(async () => {
      const listed = await cli('list', '--tenant', tenant);
      expect(listed.stdout).toMatch(/^forgotten/m);
      expect(listed.stdout).toMatch(/^failed/m);
      return listed;
    });
    expect(stdout).toMatch(/^STATUS +SHADOW +AGENT +TENANT +STARTED +TIME +ERROR +KEY\n/);
    expect(stdout).toMatch(new RegExp(`^running +shadow +clerk .* ${rehearsed.key}$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^failed +clerk .* tool\\.failed +${failed.key}$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^forgotten +clerk .* ${forgotten.key}$`, 'm'));
    expect(stdout).not.toMatch(/^completed/m);
    expect(await cli('list', '--tenant', tenant, '--status', 'completed', '--json')).toMatchObject({
      json: { runs: [] },
    });
  });

  test('the command itself, with whatever agents there are', async () => {
    const { key } = await ended('completed');
    const { code, stdout } = await runBin(['result', 'assistant', key], env);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'All done.\nReally.\n' });
  });

  test('a reader that goes away early is no error', async () => {
    const running = startCli(['list', '--json'], env);
    running.child.stdout?.destroy();
    const { code, stderr } = await running.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

test('a namespace that does not exist: 6', async () => {
  const result = await runCommand(['list', '--json'], { ...env, TEMPORAL_NAMESPACE: 'nowhere' });
  expect(result.code).toBe(6);
  expect(JSON.parse(result.stdout).error.code).toBe('temporal.namespace_not_found');
});
