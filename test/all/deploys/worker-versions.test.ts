import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AgentOnceClient } from '../../../src/client/agent-once-client.ts';
import { TASK_QUEUE } from '../../../src/contract/names.ts';
import { eventually } from '../../support/eventually.ts';
import { startOwnTemporal, type OwnTemporal } from '../../support/own-temporal.ts';
import {
  calls,
  script,
  startTestSystem,
  type TestSystem,
  type TestWorker,
} from '../../support/system.ts';
import { temporalCommand } from '../../support/temporal-command.ts';
import { untilEnd } from '../../support/until-end.ts';

const DEPLOYMENT = 'agents';
const makeCurrent = (buildId: string, deployment = DEPLOYMENT): string =>
  `temporal worker deployment set-current-version --deployment-name ${deployment} --yes --build-id ${buildId}`;
const RAMP = `temporal worker deployment set-ramping-version --deployment-name ${DEPLOYMENT} --yes --build-id`;

/** As Temporal's controller for Kubernetes names them. */
const SPLIT = 'my-team/agents';

let temporal: OwnTemporal;
let system: TestSystem;
/** The lines that were run, each of which succeeded. */
const ran = new Set<string>();

beforeAll(async () => {
  temporal = await startOwnTemporal({
    'limit.historyCount.suggestContinueAsNew': 60,
    // The server looks every three minutes whether the runs of a version have ended.
    'matching.wv.VersionDrainageStatusVisibilityGracePeriod': 1,
    'matching.wv.VersionDrainageStatusRefreshInterval': 1,
  });
  system = await startTestSystem();
});
afterAll(async () => {
  await system.close();
  await temporal.stop();
});

async function command(line: string): Promise<string> {
  const printed = await temporalCommand(line, system.env);
  ran.add(line);
  return printed;
}

const describeVersion = (buildId: string, deployment = DEPLOYMENT): string =>
  `temporal worker deployment describe-version --deployment-name ${deployment} --build-id ${buildId}`;

/** Until the server knows all queues of a version: its workers have to ask for tasks first. */
const untilKnown = (buildId: string, queues: number, run = command, deployment = DEPLOYMENT) =>
  eventually(async () => {
    const printed = await run(describeVersion(buildId, deployment));
    if ((printed.match(/agent-once\S* +(workflow|activity)/g) ?? []).length < queues) {
      throw new Error(printed);
    }
  });

const startVersion = (buildId: string, env: Record<string, string> = {}): Promise<TestWorker> =>
  system.startWorker({
    TEMPORAL_DEPLOYMENT_NAME: DEPLOYMENT,
    TEMPORAL_WORKER_BUILD_ID: buildId,
    TEST_OWN_APP: '1',
    ...env,
  });

const idOf = (key: string): string => `agent-tester-${key}`;

/** The version that an execution is on, the current one without a run ID. */
async function versionOf(workflowId: string, runId?: string): Promise<string | undefined> {
  const { raw } = await system.temporal.workflow.getHandle(workflowId, runId).describe();
  return raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId ?? undefined;
}

/** The processes that made the steps of a run, by step. */
async function madeBy(key: string): Promise<Record<string, number>> {
  const { memo } = await system.temporal.workflow.getHandle(idOf(key)).describe();
  const scope = (memo?.['scope'] as string | undefined) ?? (await system.scopeOf(idOf(key)));
  const steps = await system.ledger.steps(scope);
  return Object.fromEntries(steps.map(({ step, worker }) => [step, Number(worker?.split('@')[0])]));
}

const start = (key: string, ...answers: Parameters<typeof script>) =>
  system.client.start({ agent: 'tester', key, input: script(...answers) });
const ended = (key: string) => untilEnd(system.client, { agent: 'tester', key });
const spend = (label: string) => calls(['spend', { label, amount: 100 }]);
const look = (label: string) => calls(['look', { label }]);

const untilAsked = (key: string, step: string) =>
  eventually(async () => {
    const { waiting } = await system.client.describe({ agent: 'tester', key });
    expect(waiting).toMatchObject([{ step }]);
  });
const approve = (key: string, step: string) =>
  system.client.decide({ agent: 'tester', key }, { step, decision: 'approve', by: 'ann' });

describe('workers of two versions of a deployment', () => {
  let one: TestWorker;
  let two: TestWorker;

  test('the first version takes runs when it is made the current one', async () => {
    one = await startVersion('v1');
    await start('req-001', spend('a'), look('a'), { say: 'ok' });
    await untilKnown('v1', 2);
    await command(makeCurrent('v1'));
    await untilAsked('req-001', 't1.c0');
    expect(await versionOf(idOf('req-001'))).toBe('v1');
    // What is deployed meanwhile must not meet them.
    const looks = ['b', 'c', 'e', 'f', 'i'].map(look);
    await start('long', spend('d'), ...looks, { say: 'ok' });
    await untilAsked('long', 't1.c0');
    system.counter.fail('charge:away');
    await start('failed', look('g'), calls(['charge', { label: 'away' }]), { say: 'ok' });
    expect(await ended('failed')).toMatchObject({ status: 'failed' });
    for (const type of ['receive', 'receiveAnywhere']) {
      const options = { workflowId: type, taskQueue: TASK_QUEUE, args: ['ada'] };
      await system.temporal.workflow.start(type, options);
      await eventually(async () => expect(await versionOf(type)).toBe('v1'));
    }
  });

  test('a second version gets its share of new runs, and none when the ramp is taken back', async () => {
    two = await startVersion('v2');
    await untilKnown('v2', 2);
    await command(`${RAMP} v2 --percentage 50`);
    const versionsOf = async (keys: string[]) => {
      await Promise.all(keys.map((key) => start(key, { say: 'ok' })));
      await Promise.all(keys.map(ended));
      return new Set(await Promise.all(keys.map((key) => versionOf(idOf(key)))));
    };
    const keys = (name: string) => Array.from({ length: 20 }, (_, i) => `${name}-${i}`);
    expect(await versionsOf(keys('ramped'))).toEqual(new Set(['v1', 'v2']));
    await command(`${RAMP} v2 --delete`);
    expect(await versionsOf(keys('unramped'))).toEqual(new Set(['v1']));
  });

  test('a run stays on its version when another becomes the current one, with all its steps', async () => {
    await command(makeCurrent('v2'));
    await start('newer', spend('h'), look('h'), { say: 'ok' });
    await untilAsked('newer', 't1.c0');
    expect(await versionOf(idOf('newer'))).toBe('v2');
    await approve('req-001', 't1.c0');
    expect(await ended('req-001')).toMatchObject({ status: 'completed' });
    expect(Object.values(await madeBy('req-001'))).toEqual(Array(5).fill(one.pid));
  });

  test('a run that is resumed goes on with the current version, and repeats nothing recorded', async () => {
    system.counter.heal('charge:away');
    const input = script(look('g'), calls(['charge', { label: 'away' }]), { say: 'ok' });
    await system.client.start({ agent: 'tester', key: 'failed', input, retryFailed: true });
    expect(await ended('failed')).toMatchObject({ status: 'completed' });
    expect(await versionOf(idOf('failed'))).toBe('v2');
    expect(system.counter.requests('look:g')).toBe(1);
    expect((await madeBy('failed'))['t2.c0']).toBe(two.pid);
  });

  test('a long run takes up the current version when it continues as new', async () => {
    const { runId } = await system.client.describe({ agent: 'tester', key: 'long' });
    await approve('long', 't1.c0');
    expect(await ended('long')).toMatchObject({ status: 'completed', usage: { turns: 7 } });
    const last = await system.client.describe({ agent: 'tester', key: 'long' });
    expect(last.runId).not.toBe(runId);
    expect(await versionOf(idOf('long'), runId)).toBe('v1');
    expect(await versionOf(idOf('long'), last.runId)).toBe('v2');
    for (const label of ['b', 'c', 'e', 'f', 'i']) {
      expect(system.counter.requests(`look:${label}`)).toBe(1);
    }
    expect(system.counter.effects('spend:d')).toBe(1);
  });

  test("a workflow of the app's own keeps its version, unless it says otherwise, and so does a child", async () => {
    const { workflow } = system.temporal;
    for (const [type, version] of [
      ['receive', 'v1'],
      ['receiveAnywhere', 'v2'],
    ] as const) {
      const handle = workflow.getHandle(type);
      await handle.signal('arrived');
      expect(await handle.result()).toBe('Good day, ADA.');
      expect(await versionOf(type)).toBe(version);
      const { events } = await handle.fetchHistory();
      const [child] = (events ?? []).flatMap(
        (event) => event.childWorkflowExecutionStartedEventAttributes ?? [],
      );
      expect(await versionOf(child?.workflowExecution?.workflowId ?? '')).toBe(version);
    }
  });

  test('a version that no run needs any more is drained', async () => {
    await eventually(async () => {
      expect(await command(describeVersion('v1'))).toMatch(/DrainageStatus\s+drained/);
    });
  });

  test('after a roll-back new runs are on the old version, and a run is moved there by its ID', async () => {
    await command(makeCurrent('v1'));
    await start('after', { say: 'ok' });
    await ended('after');
    expect(await versionOf(idOf('after'))).toBe('v1');
    // The bad version is gone, and with it who could go on with its runs.
    await two.stop();
    await command(
      `temporal workflow update-options --workflow-id ${idOf('newer')} --versioning-override-behavior auto_upgrade`,
    );
    await approve('newer', 't1.c0');
    expect(await ended('newer')).toMatchObject({ status: 'completed' });
    expect(await versionOf(idOf('newer'))).toBe('v1');
    expect((await madeBy('newer'))['t2.c0']).toBe(one.pid);
    expect(system.counter.effects('spend:h')).toBe(1);
  });

  test('each command of the page on deploys was run', () => {
    const page = readFileSync(new URL('../../../docs/deploys.md', import.meta.url), 'utf8');
    const lines = page.replaceAll(/\\\n\s*/g, '').match(/^temporal .+$/gm) ?? [];
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) expect(ran).toContain(line);
  });
});

test('with split queues each part is of the version, and a run has its steps made by its own', async () => {
  const split = await startTestSystem();
  const cli = (line: string) => temporalCommand(line, split.env);
  const startPart = (buildId: string | undefined, only?: string) =>
    split.startWorker({
      AGENT_ONCE_SPLIT_TASK_QUEUES: 'on',
      ...(only === undefined ? {} : { TEST_ONLY: only }),
      ...(buildId === undefined
        ? {}
        : { TEMPORAL_DEPLOYMENT_NAME: SPLIT, TEMPORAL_WORKER_BUILD_ID: buildId }),
    });
  const client = new AgentOnceClient({ temporal: split.temporal, splitTaskQueues: true });
  const begin = async (key: string) => {
    const input = script(calls(['spend', { label: key, amount: 100 }]), { say: 'ok' });
    await client.start({ agent: 'tester', key, input });
    await eventually(async () => {
      expect((await client.describe({ agent: 'tester', key })).waiting).toHaveLength(1);
    });
  };
  const end = async (key: string) => {
    await client.decide(
      { agent: 'tester', key },
      { step: 't1.c0', decision: 'approve', by: 'ann' },
    );
    await untilEnd(client, { agent: 'tester', key });
    const steps = await split.ledger.steps(await split.scopeOf(idOf(key)));
    return steps.map(({ worker }) => Number(worker?.split('@')[0]));
  };
  try {
    const one = await startPart('v1');
    await untilKnown('v1', 3, cli, SPLIT);
    await cli(makeCurrent('v1', SPLIT));
    await begin('of-v1');

    const workflows = await startPart('v2', 'workflows');
    // A version without workers for model calls and tools would leave its runs waiting.
    await untilKnown('v2', 1, cli, SPLIT);
    await expect(cli(makeCurrent('v2', SPLIT))).rejects.toThrow(/missing.*task queues/i);
    const [model, tools] = await Promise.all([startPart('v2', 'model'), startPart('v2', 'tools')]);
    await untilKnown('v2', 3, cli, SPLIT);
    await cli(makeCurrent('v2', SPLIT));
    await begin('of-v2');
    expect(await end('of-v1')).toEqual([one.pid, one.pid, one.pid]);
    expect(await end('of-v2')).toEqual([model.pid, tools.pid, model.pid]);
    await Promise.all([one, workflows, model, tools].map((worker) => worker.stop()));
  } finally {
    await split.close();
  }
});
