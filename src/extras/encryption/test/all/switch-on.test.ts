import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { JsonValue } from '../../../../contract/json-value.ts';
import { runCommand } from '../../../../../test/support/cli.ts';
import { eventually } from '../../../../../test/support/eventually.ts';
import {
  calls,
  script,
  startTestSystem,
  type TestSystem,
} from '../../../../../test/support/system.ts';
import { untilEnd } from '../../../../../test/support/until-end.ts';
import { findTemporalCli } from '../../../dev/temporal-cli.ts';
import { keyOf, withKeys } from '../keys-of-tests.ts';
import { readEverything } from '../search-everything.ts';

const NONE = withKeys();
const READS = withKeys('plain', keyOf('2026-11'));
const ENCRYPTS = withKeys(keyOf('2026-11'));
const AGENT = 'tester';
const ENCRYPTED = 'binary/encrypted';

let system: TestSystem;

beforeAll(async () => {
  // This process is a client that reads, and encrypts nothing.
  Object.assign(process.env, READS);
  system = await startTestSystem();
});
afterAll(async () => {
  delete process.env['AGENT_ONCE_ENCRYPTION_KEYS'];
  await system.close();
});

/** The command, as a caller with these keys. */
async function command(keys: Record<string, string>, ...args: string[]) {
  return runCommand(args, { ...system.env, TEST_AGENTS: 'of workers', ...keys });
}

function startBy(keys: Record<string, string>, key: string, input: JsonValue, ...more: string[]) {
  const text = JSON.stringify(input);
  return command(keys, 'start', AGENT, '--key', key, '--input-json', text, ...more);
}

/** What Temporal and the ledger have of a run. */
async function held(key: string): Promise<string> {
  const { history = '', description = '' } = await readEverything(system, `agent-${AGENT}-${key}`);
  return history + description;
}

async function untilItAsks(key: string): Promise<string> {
  return eventually(async () => {
    const { waiting } = await system.client.describe({ agent: AGENT, key });
    const [question] = waiting ?? [];
    if (!question) throw new Error(`The run ${key} asks nothing.`);
    return question.step;
  });
}

const works = script(calls(['look', { label: 'a-planted-argument' }]), { say: 'done' });
const asks = script(calls(['spend', { label: 'much', amount: 100 }]), { say: 'done' });

test('a running system is switched on in two steps, and no process meets what it cannot read', async () => {
  const before = await system.startWorker(NONE);
  await system.client.start({ agent: AGENT, key: 'from-before', input: asks });
  const step = await untilItAsks('from-before');

  // Step 1: some have the key, and some not yet.
  const reading = await system.startWorker(READS);
  for (const [at, keys] of [NONE, READS, NONE, READS].entries()) {
    const told = await startBy(keys, `step-1-${at}`, works, '--wait');
    expect(told).toMatchObject({ code: 0 });
    expect(await held(`step-1-${at}`)).not.toContain(ENCRYPTED);
  }
  await before.stop();

  // Step 2: some encrypt, and the others read it.
  const encrypting = await system.startWorker(ENCRYPTS);
  for (const [at, keys] of [ENCRYPTS, READS, ENCRYPTS, READS].entries()) {
    const key = `step-2-${at}`;
    const told = await startBy(keys, key, works, '--wait');
    expect(told).toMatchObject({ code: 0 });
    if (keys === ENCRYPTS) expect(await held(key)).toContain(ENCRYPTED);
    // Who reads it is on the other side.
    const other = keys === READS ? ENCRYPTS : READS;
    expect(await command(other, 'result', AGENT, key)).toMatchObject({ code: 0 });
  }
  await reading.stop();

  // The run from before goes on where all encrypts.
  await system.client.decide(
    { agent: AGENT, key: 'from-before' },
    { step, decision: 'approve', by: 'ann' },
  );
  const ended = await untilEnd(system.client, { agent: AGENT, key: 'from-before' });
  expect(ended).toMatchObject({ status: 'completed', result: 'done' });
  expect(await held('from-before')).toContain(ENCRYPTED);
  await encrypting.stop();
  for (const worker of [before, reading, encrypting]) {
    expect(worker.output()).not.toContain('encrypted with');
  }
});

test('a lost key: new runs work, and its runs are found and ended by Temporal itself', async () => {
  const [LOST, NEW] = [withKeys(keyOf('lost')), withKeys(keyOf('new'))];
  const worker = await system.startWorker(LOST);
  expect(await startBy(LOST, 'locked', asks)).toMatchObject({ code: 0 });
  await eventually(async () => {
    const { stdout } = await command(LOST, 'status', AGENT, 'locked');
    expect(stdout).toContain('waiting');
  });
  await worker.stop();

  const after = await system.startWorker(NEW);
  expect(await startBy(NEW, 'fresh', works, '--wait')).toMatchObject({ code: 0 });
  expect(await command(NEW, 'list')).toMatchObject({ code: 6 });
  const temporal = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(await findTemporalCli(), args, {
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...system.env },
    });
    return stdout;
  };
  const query = "WorkflowType = 'agentRun' AND ExecutionStatus = 'Running'";
  const listed = await temporal('workflow', 'list', '--query', query);
  expect(listed).toContain(`agent-${AGENT}-locked`);
  const which = ['--workflow-id', `agent-${AGENT}-locked`];
  await temporal('workflow', 'terminate', ...which, '--reason', 'its key is lost');
  await eventually(async () => {
    expect(await temporal('workflow', 'list', '--query', query)).not.toContain('locked');
  });
  // Its idempotency key is answered by no new run.
  expect(await startBy(NEW, 'locked', asks)).toMatchObject({ code: 6 });
  await after.stop();
});
