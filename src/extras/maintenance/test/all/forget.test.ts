import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { commandSuite, startOf } from '../../../../../test/support/command-suite.ts';
import { calls, script } from '../../../../../test/support/system.ts';
import { untilEnd } from '../../../../../test/support/until-end.ts';

const { cli, system } = commandSuite();

describe('forget', () => {
  test('makes the key of an ended run new', async () => {
    const key = `k-${randomUUID()}`;
    const first = await cli(startOf(key, script({ say: 'one' }), '--wait', '--json'));
    expect(await cli(startOf(key, script({ say: 'two' })))).toMatchObject({ code: 3 });
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
    expect(await cli(startOf(key, script({ say: 'two' }), '--wait'))).toMatchObject({
      code: 0,
      stdout: 'two\n',
    });
  });

  test('says for people what is gone and what is not', async () => {
    const key = `k-${randomUUID()}`;
    await cli(startOf(key, script({ say: 'one' }), '--wait'));
    const { code, stdout, stderr } = await cli(['forget', 'tester', key]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `forgotten  agent-tester-${key}\n` });
    expect(stderr).toMatch(new RegExp(`what the run did stays done.*start tester --key ${key}`));
  });

  test('leaves a run that is under way: 7, and says how to cancel it', async () => {
    const key = `k-${randomUUID()}`;
    const input = script(calls(['endless', {}]), { say: 'never' });
    await cli(startOf(key, input));
    expect(await cli(['forget', 'tester', key, '--json'])).toMatchObject({
      code: 7,
      json: {
        error: {
          code: 'run.still_running',
          message: expect.stringContaining(`agent-once cancel tester ${key}`),
        },
      },
    });
    await system().client.cancel({ agent: 'tester', key });
    const view = await untilEnd(system().client, { agent: 'tester', key });
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
