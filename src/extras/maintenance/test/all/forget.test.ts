import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runCommand } from '../../../../../test/support/cli.ts';
import {
  calls,
  script,
  startTestSystem,
  type TestSystem,
} from '../../../../../test/support/system.ts';
import { untilEnd } from '../../../../../test/support/until-end.ts';

let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem();
  await system.startWorker();
});
afterAll(() => system.close());

async function cli(args: string[], more: Record<string, string> = {}) {
  const result = await runCommand(args, { ...system.env, TEST_AGENTS: 'of workers', ...more });
  const json = args.includes('--json') ? JSON.parse(result.stdout) : undefined;
  return { ...result, json };
}

function start(key: string, input: unknown, ...flags: string[]): string[] {
  return ['start', 'tester', '--key', key, '--input-json', JSON.stringify(input), ...flags];
}

describe('forget', () => {
  test('makes the key of an ended run new', async () => {
    const key = `k-${randomUUID()}`;
    const first = await cli(start(key, script({ say: 'one' }), '--wait', '--json'));
    expect(await cli(start(key, script({ say: 'two' })))).toMatchObject({ code: 3 });
    const forgotten = await cli(['forget', 'tester', key, '--json']);
    expect(forgotten).toMatchObject({
      code: 0,
      json: {
        agent: 'tester',
        tenant: 'default',
        key,
        workflowId: `agent-tester-${key}`,
        runId: first.json.runId,
        forgotten: true,
      },
    });
    expect(await cli(['status', 'tester', key])).toMatchObject({ code: 5 });
    expect(await cli(start(key, script({ say: 'two' }), '--wait'))).toMatchObject({
      code: 0,
      stdout: 'two\n',
    });
  });

  test('says for people what is gone and what is not', async () => {
    const key = `k-${randomUUID()}`;
    await cli(start(key, script({ say: 'one' }), '--wait'));
    const { code, stdout, stderr } = await cli(['forget', 'tester', key]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `forgotten  agent-tester-${key}\n` });
    expect(stderr).toMatch(new RegExp(`what the run did stays done.*start tester --key ${key}`));
  });

  test('leaves a run that is under way: 7, and says how to cancel it', async () => {
    const key = `k-${randomUUID()}`;
    const input = script(calls(['endless', {}]), { say: 'never' });
    await cli(start(key, input));
    expect(await cli(['forget', 'tester', key, '--json'])).toMatchObject({
      code: 7,
      json: {
        error: {
          code: 'run.still_running',
          message: expect.stringContaining(`agent-once cancel tester ${key}`),
        },
      },
    });
    await system.client.cancel({ agent: 'tester', key });
    const view = await untilEnd(system.client, { agent: 'tester', key });
    expect(view).toMatchObject({ status: 'cancelled' });
  });

  test('knows no run: 5; no agent: 2; nobody at the address: 6', async () => {
    expect(await cli(['forget', 'tester', randomUUID(), '--json'])).toMatchObject({
      code: 5,
      json: { error: { code: 'run.not_found' } },
    });
    expect(await cli(['forget', 'testre', 'k', '--json'])).toMatchObject({
      code: 2,
      json: { error: { code: 'agent.unknown' } },
    });
    const nowhere = { TEMPORAL_ADDRESS: '127.0.0.1:1' };
    expect(await cli(['forget', 'tester', 'k', '--json'], nowhere)).toMatchObject({
      code: 6,
      json: { error: { code: 'temporal.unreachable' } },
    });
  });
});
