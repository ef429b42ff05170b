import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Client } from '@temporalio/client';
import pc from 'picocolors';
import { createRegistry } from '../../../define/registry.ts';
import { withNextActions } from '../next-words.ts';
import { drawExplanation } from '../show-explanation.ts';
import { AgentOnceClient } from '../../../client/agent-once-client.ts';
import { createContext } from '../../../client/context.ts';
import { workflowUrl } from '../../../client/workflow-url.ts';
import type { JsonValue } from '../../../contract/json-value.ts';
import { collect } from '../collect.ts';
import { openLedgerReader } from '../../../ledger/open-ledger.ts';
import { NO_USAGE } from '../../../contract/run.ts';
import { runCommand } from '../../../../test/support/cli.ts';
import { startClientSuite } from '../../../../test/support/client-suite.ts';
import { createTestDatabase } from '../../../../test/support/database.ts';
import { eventually } from '../../../../test/support/eventually.ts';
import {
  calls,
  script,
  startTestSystem,
  type TestSystem,
} from '../../../../test/support/system.ts';
import { testAgents } from '../../../../test/support/test-agents.ts';
import { untilEnd } from '../../../../test/support/until-end.ts';
import { expectGolden } from './golden.ts';

let system: TestSystem;
let env: Record<string, string>;
let folder: string;
/** A failed execution that was resumed, which Temporal takes half a minute to delete. */
let deleted: { workflowId: string; runId: string };
/** The story of a run whose worker was killed, before another took over. */
let dead: Awaited<ReturnType<typeof explain>>;

const UI = 'http://ui.example';
const agent = 'tester';
const usage = { inputTokens: 1_000, outputTokens: 100 };
/** What a model says last: no line for people may hold it. */
const ANSWER = 'The final answer.';

beforeAll(async () => {
  system = await startTestSystem();
  folder = await mkdtemp(path.join(os.tmpdir(), 'agent-once-explain-'));
  const prices = path.join(folder, 'prices.json');
  await writeFile(prices, '{"scripted-priced":{"input":1,"output":10}}');
  env = { ...system.env, MODEL_PRICES_FILE: prices, TEMPORAL_UI_URL: UI };
  // The one run that loses a worker is first: later ones have a worker that lives.
  const dying = await system.startWorker({ ...env, AGENT_ONCE_FAULT: 'after-effect:model' });
  await system.client.start({ agent, key: 'killed', input: twoTurns('k') });
  expect(await dying.untilEnded()).toBe('SIGKILL');
  await eventually(async () => {
    dead = await explain('killed');
    expect(dead.json.steps).toMatchObject([{ id: 't1.model', leaseLeftMs: expect.any(Number) }]);
    expect(dead.json.steps?.[0]?.leaseLeftMs).toBeLessThan(0);
  });
  await system.startWorker(env);
  deleted = await deleteResumed('gone');
});
afterAll(async () => {
  await system.close();
  await rm(folder, { recursive: true });
});

function twoTurns(label: string): JsonValue {
  return script(asks(['look', { label }], ['charge', { label }]), { say: ANSWER, usage });
}

function asks(...wanted: Parameters<typeof calls>): JsonValue {
  return { ...(calls(...wanted) as object), usage };
}

/** What the command prints, without starting a process for it. */
async function explain(
  key: string,
  more: { agent?: string; ledgerUrl?: string; temporal?: Client } = {},
) {
  const ledger = await openLedgerReader(more.ledgerUrl ?? system.env['LEDGER_URL'] ?? '');
  const temporal = more.temporal ?? system.temporal;
  const urlOf = (id: string) => workflowUrl(UI, temporal.options.namespace, id);
  try {
    const context = createContext({ temporal });
    const json = await collect({ context, ledger, urlOf }, { agent: more.agent ?? agent, key });
    return { json, text: `${drawExplanation(pc.createColors(false), json)}\n` };
  } finally {
    await ledger.close();
  }
}

/** Both outputs, as they are kept. */
async function expectStory(key: string, name: string) {
  const { json, text } = await explain(key);
  expect(text).not.toContain(ANSWER);
  expectGolden(`${name}.txt`, text);
  expectGolden(`${name}.json`, `${JSON.stringify(withNextActions(json), null, 2)}\n`);
  return json;
}

async function deleteResumed(key: string) {
  const request = { agent, key, input: twoTurns(key) };
  system.counter.fail(`charge:${key}`);
  await system.client.start(request);
  const { workflowId, runId } = await ended(key);
  system.counter.heal(`charge:${key}`);
  await system.client.start({ ...request, retryFailed: true });
  await ended(key);
  await system.temporal.workflowService.deleteWorkflowExecution({
    namespace: system.temporal.options.namespace,
    workflowExecution: { workflowId, runId },
  });
  return { workflowId, runId };
}

async function ended(key: string) {
  return untilEnd(system.client, { agent, key });
}

describe('the story of a run', () => {
  test('completed: each call, those that went back to the model too', async () => {
    const wanted = asks(
      ['look', { label: 'a' }],
      ['charge', { label: 'a' }],
      ['look', { label: 'a' }],
      ['no_such_tool', {}],
    );
    const input = script(wanted, { say: ANSWER, usage });
    await system.client.start({ agent, key: 'completed', input });
    const { usage: reported } = await ended('completed');
    const json = await expectStory('completed', 'completed');
    expect(json.usage).toEqual({ ...reported, deniedCalls: 0 });
  });

  test('failed, then resumed: what is known from the ledger, and from whom', async () => {
    const request = { agent, key: 'failed', input: twoTurns('f') };
    system.counter.fail('charge:f');
    await system.client.start(request);
    await ended('failed');
    await expectStory('failed', 'failed');

    system.counter.heal('charge:f');
    await system.client.start({ ...request, retryFailed: true });
    await ended('failed');
    await expectStory('failed', 'resumed');
  });

  test('a failed one: the input if that is asked for, and a command that resumes as it is', async () => {
    const request = { agent, key: 'pasted', input: twoTurns("o'clock") };
    system.counter.fail("charge:o'clock");
    await system.client.start(request);
    await ended('pasted');
    system.counter.heal("charge:o'clock");
    expect((await explain('pasted')).json.request).toEqual({ options: {} });
    const shown = await runCommand(['explain', agent, 'pasted', '--show-input'], env);
    expect(shown.stdout).toContain(`input     ${JSON.stringify(request.input)}`);
    const [, words] = /^ *\$ .* (resume tester .*)$/m.exec(shown.stdout) ?? [];
    const argv = execFileSync('sh', ['-c', `printf '%s\\0' ${words}`], { encoding: 'utf8' });
    const resumed = await runCommand([...argv.split('\0').slice(0, -1), '--wait', '--json'], {
      ...env,
      TEST_AGENTS: 'of workers',
    });
    expect(JSON.parse(resumed.stdout)).toMatchObject({ status: 'completed', resumed: true });
  });

  test('running: what it does and where', async () => {
    const input = script(asks(['charge', { label: 'r' }]), asks(['endless', {}]));
    await system.client.start({ agent, key: 'running', input });
    await eventually(() => expect(system.counter.requests('endless:begun')).toBe(1));
    // The worker answers once it is not too busy.
    await eventually(async () => {
      expect((await explain('running')).json.live?.turn).toBe(2);
    });
    await expectStory('running', 'running');

    await system.client.cancel({ agent, key: 'running' });
    await ended('running');
    await expectStory('running', 'cancelled');
  });

  test('forgotten: what was done stays known; then new again', async () => {
    const input = twoTurns('o');
    await system.client.start({ agent, key: 'forgotten', input });
    await ended('forgotten');
    await system.client.forget({ agent, key: 'forgotten' });
    await expectStory('forgotten', 'forgotten');

    await system.client.start({ agent, key: 'forgotten', input });
    await ended('forgotten');
    const json = await expectStory('forgotten', 'new-after-forgotten');
    const [earlier] = json.earlierRuns ?? [];
    expect(earlier).toMatchObject({ status: 'completed', usage: { costUsd: 0.004 } });
    const charges = json.steps?.flatMap(({ tool, repeats }) => (tool === 'charge' ? repeats : []));
    expect(charges).toEqual([
      expect.objectContaining({ token: `${earlier?.scope}:t1.c1`, happened: 'yes' }),
    ]);
    expect(system.counter.requests('charge:o')).toBe(2);
  });

  test('of a worker that died: what is not known, then what may have been paid twice', async () => {
    expect(dead.json).toMatchObject({ status: 'running', steps: [{ state: 'claimed' }] });
    expect(dead.text).toMatch(/t1\.model {2}model call · outcome unknown, begun by \d+@/);
    expect(dead.text).toMatch(/The claim of t1\.model by \d+@\S+ is over without a result/);

    await ended('killed');
    const json = await expectStory('killed', 'killed');
    expect(json.steps).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: 't1.model', attempts: 2, possiblyPaidTwice: true }),
        expect.objectContaining({ id: 't2.model', attempts: 1, possiblyPaidTwice: false }),
      ]),
    );
  });

  test('resumed with another model: which one, and from which execution on', async () => {
    const key = 'elsewhere';
    const request = { agent, key, input: twoTurns(key) };
    system.counter.fail(`charge:${key}`);
    await system.client.start(request);
    await ended(key);
    system.counter.heal(`charge:${key}`);
    const limits = { model: 'model-b', reasoningEffort: 'low', maxOutputTokens: 900 };
    await system.client.resume(request, { limits });
    await ended(key);
    const { json, text } = await explain(key);
    expect(json.executions.map(({ resumedWith }) => resumedWith)).toEqual([undefined, limits]);
    expect(text).toContain(
      '2. resume of 1 with model model-b, reasoning effort low, 900 output tokens at most, completed',
    );
    expect(json.steps?.flatMap(({ model }) => model ?? [])).toEqual(['scripted-priced', 'model-b']);
  });

  test('a limit that was hit: the command that raises it', async () => {
    const input = script(asks(['look', { label: '1' }]), asks(['look', { label: '2' }]));
    await system.client.start({ agent: 'short', key: 'limit', input });
    await untilEnd(system.client, { agent: 'short', key: 'limit' });
    const { text } = await explain('limit', { agent: 'short' });
    expect(text).toContain(' resume short limit --max-turns 4');
  });

  test('as the command prints it, for people and for machines', async () => {
    const args = ['explain', agent, 'killed'];
    await ended('killed');
    const people = await runCommand(args, env);
    expect({ code: people.code, stderr: people.stderr }).toEqual({ code: 0, stderr: '' });
    expect(people.stdout).not.toContain('\u001b');
    expectGolden('killed.txt', people.stdout);
    const machines = await runCommand([...args, '--json'], env);
    expect({ code: machines.code, stderr: machines.stderr }).toEqual({ code: 0, stderr: '' });
    expectGolden('killed.json', `${JSON.stringify(JSON.parse(machines.stdout), null, 2)}\n`);
  });
});

describe('executions', () => {
  test('a reset in Temporal: the old one, the new one, and no step twice', async () => {
    await system.client.start({ agent, key: 'reset', input: twoTurns('reset') });
    const { workflowId, runId } = await ended('reset');
    const { namespace } = system.temporal.options;
    const { runId: newRunId } = await system.temporal.workflowService.resetWorkflowExecution({
      namespace,
      workflowExecution: { workflowId, runId },
      workflowTaskFinishEventId: 4 as never,
      requestId: 'reset',
      reason: 'a test',
    });
    await ended('reset');
    const { json, text } = await explain('reset');
    expect(json.executions).toMatchObject([
      { runId, intent: 'new', status: 'completed' },
      { runId: newRunId, intent: 'reset', status: 'completed', predecessor: runId },
    ]);
    expect(new Set(json.steps?.map(({ knownBy }) => knownBy))).toEqual(new Set(['ledger']));
    expect(text).toContain('2. reset of 1 in Temporal, completed after');
  });

  test('continued as new, in a chain that each names', async () => {
    const suite = await startClientSuite();
    try {
      const { workflowId } = await suite.client.start({ agent, key: 'chain', input: 'x' });
      await suite.worker.continueAsNew(workflowId);
      await suite.worker.continueAsNew(workflowId);
      const reported = { ...NO_USAGE, turns: 1, modelCalls: 1 };
      await suite.worker.complete(workflowId, { output: 'ok', usage: reported });
      await untilEnd(suite.client, { agent, key: 'chain' });
      const { json, text } = await explain('chain', { temporal: suite.temporal });
      expect(json.executions).toMatchObject([
        { intent: 'new', status: 'continued', predecessor: null },
        { intent: 'continued', status: 'continued', predecessor: json.executions[0]?.runId },
        { intent: 'continued', status: 'completed', predecessor: json.executions[1]?.runId },
      ]);
      expect(new Set(json.executions.map(({ scope }) => scope))).toEqual(new Set([json.scope]));
      expect(json.scope).toBe(json.executions[0]?.runId);
      // Nothing of it was ever in this ledger.
      expect(json.steps).toEqual([]);
      expect(text).toContain('LEDGER_URL names another ledger');
    } finally {
      await suite.close();
    }
  });

  test('a new one after the key has expired', async () => {
    const request = { agent: 'brief', key: 'expired', input: script({ say: 'ok' }) };
    const { runId } = await system.client.start(request);
    await untilEnd(system.client, request);
    await eventually(async () => {
      const { text } = await explain('expired', { agent: 'brief' });
      expect(text).toContain('has expired at');
      expect(text).toContain('the next start makes a NEW run');
    });
    expect(await system.client.start(request)).toMatchObject({ replayed: false });
    await untilEnd(system.client, request);
    const { json, text } = await explain('expired', { agent: 'brief' });
    expect(json.executions).toMatchObject([{ runId }, { intent: 'new', predecessor: runId }]);
    expect(json.steps).toMatchObject([{ id: 't1.model', knownBy: 'executed' }]);
    expect(text).toContain('2. new, the key had expired, completed after');
    expect(text).toContain('execution 1: completed · 1 step ·');
  });

  test('a resume under another definition of the agent says so', async () => {
    const request = { agent, key: 'changed', input: twoTurns('c') };
    system.counter.fail('charge:c');
    await system.client.start(request);
    await ended('changed');
    expect((await explain('changed')).json.definitionChanged).toBeNull();
    system.counter.heal('charge:c');
    const changed = testAgents.map((each) => ({ ...each, instructions: 'Others.' }));
    const client = new AgentOnceClient({
      temporal: system.temporal,
      registry: createRegistry(changed, { defaultModel: 'scripted' }),
    });
    await client.start({ ...request, retryFailed: true });
    await ended('changed');
    const { json, text } = await explain('changed');
    expect(json.definitionChanged).toBe(true);
    expect(text).toContain("The agent's definition changed between two executions");
  });

  test('one that Temporal has deleted is said to be gone', async () => {
    const { workflowId, runId } = deleted;
    await eventually(async () => {
      await expect(
        system.temporal.workflow.getHandle(workflowId, runId).describe(),
      ).rejects.toThrow();
    });
    const { json, text } = await explain('gone');
    expect(json).toMatchObject({
      status: 'completed',
      executions: [
        { runId, intent: null, status: 'gone', startedAt: null },
        { intent: 'resume', status: 'completed', predecessor: runId },
      ],
    });
    expect(text).toContain('1. an earlier execution, deleted by Temporal');
    expect(text).toContain('Temporal has deleted an earlier execution under this key');
  });
});

describe('what is missing', () => {
  test('the ledger: what Temporal knows, and exit code 6', async () => {
    await system.client.start({ agent, key: 'no-ledger', input: twoTurns('n') });
    await ended('no-ledger');
    const url = 'postgres://postgres:secret-password@127.0.0.1:1/ledger';
    const args = ['explain', agent, 'no-ledger'];
    const people = await runCommand(args, { ...env, LEDGER_URL: url });
    const machines = await runCommand([...args, '--json'], { ...env, LEDGER_URL: url });
    expect([people.code, machines.code]).toEqual([6, 6]);
    expect(JSON.parse(machines.stdout)).toMatchObject({
      status: 'completed',
      executions: [{ intent: 'new', status: 'completed' }],
      steps: null,
      usage: null,
      reportedUsage: { modelCalls: 2, toolCalls: 2 },
      ledgerError: { code: 'ledger.unreachable' },
    });
    expect(people.stderr).toMatch(/ledger at 127\.0\.0\.1:1\/ledger does not answer/);
    expect(people.stdout).toMatch(/^completed {2}agent tester, key "no-ledger"\n/);
    expect(people.stdout + people.stderr + machines.stdout).not.toContain('secret-password');
  });

  test('a database that is no ledger is not made one', async () => {
    await system.client.start({ agent, key: 'other-database', input: twoTurns('d') });
    const database = await createTestDatabase();
    try {
      for (let time = 1; time <= 2; time++) {
        const { json } = await explain('other-database', { ledgerUrl: database.url });
        expect(json.steps).toBeNull();
        expect(json.ledgerError).toMatchObject({
          code: 'ledger.invalid',
          message: expect.stringContaining('no worker has used it yet'),
        });
      }
    } finally {
      await database.drop();
    }
  });

  test('the run: exit code 5', async () => {
    const args = ['explain', 'assistant', 'never-started', '--json'];
    const { code, stdout, stderr } = await runCommand(args, env);
    expect({ code, stdout: JSON.parse(stdout) }).toEqual({
      code: 5,
      stdout: { error: { code: 'run.not_found', message: expect.any(String) } },
    });
    expect(stderr).toContain('There is no run');
  });

  test('Temporal: exit code 6; a wrong key: 2', async () => {
    const nowhere = { ...env, TEMPORAL_ADDRESS: '127.0.0.1:1' };
    expect(await runCommand(['explain', agent, 'completed'], nowhere)).toMatchObject({ code: 6 });
    expect(await runCommand(['explain', agent, 'ключ'], env)).toMatchObject({ code: 2 });
    expect(await runCommand(['explain', agent], env)).toMatchObject({ code: 2 });
  });
});
