import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { commandSuite, startOf } from '../../support/command-suite.ts';
import { runCommand } from '../../support/cli.ts';
import { calls, script } from '../../support/system.ts';

const { cli, system } = commandSuite();

/** A key, and an input whose run fails until `heal` is called. */
function failing() {
  const key = `k-${randomUUID()}`;
  system().counter.fail(`charge:${key}`);
  const input = script(calls(['look', { label: key }]), calls(['charge', { label: key }]), {
    say: 'charged',
  });
  return { key, input, heal: () => system().counter.heal(`charge:${key}`) };
}

describe('a run that failed', () => {
  test('says how to go on, wherever it is shown', async () => {
    const { key, input } = failing();
    const shown = [
      await cli(startOf(key, input, '--wait')),
      await cli(startOf(key, input)),
      await cli(['result', 'tester', key]),
      await cli(['status', 'tester', key]),
    ];
    expect(shown.map(({ code }) => code)).toEqual([4, 4, 4, 0]);
    for (const { stderr } of shown) {
      expect(stderr).toContain(`agent-once resume tester ${key}\n`);
      expect(stderr).toContain(`agent-once forget tester ${key}`);
    }
  });

  test('is resumed by --retry-failed, which says so; without it, it is only shown', async () => {
    const { key, input, heal } = failing();
    await cli(startOf(key, input, '--wait'));
    heal();
    expect(await cli(startOf(key, input, '--json'))).toMatchObject({
      code: 4,
      json: { status: 'failed', replayed: true, resumed: false, definitionChanged: false },
    });
    const resumed = await cli(startOf(key, input, '--retry-failed', '--wait', '--json'));
    expect(resumed).toMatchObject({
      code: 0,
      json: { status: 'completed', result: 'charged', replayed: false, resumed: true },
    });
    expect(resumed.stderr).toMatch(/Resumed: .*nothing that is recorded runs again/);
    expect(resumed.stderr).not.toMatch(/definition/);
    expect(system().counter.requests(`look:${key}`)).toBe(1);
    // Once more: it has not failed.
    expect(await cli(startOf(key, input, '--retry-failed', '--json'))).toMatchObject({
      code: 0,
      json: { status: 'completed', replayed: true },
    });
  });

  test('is resumed by `resume`, without its input', async () => {
    const { key, input, heal } = failing();
    await cli(startOf(key, input, '--wait'));
    heal();
    const resumed = await cli(['resume', 'tester', key, '--wait', '--json']);
    expect(resumed).toMatchObject({
      code: 0,
      json: { status: 'completed', result: 'charged', replayed: false, resumed: true },
    });
    expect(system().counter.requests(`look:${key}`)).toBe(1);
  });

  test.each([
    ['resume', (key: string) => ['resume', 'tester', key]],
    [
      'start --retry-failed',
      (key: string, input: unknown) => startOf(key, input, '--retry-failed'),
    ],
  ])('is resumed with another model by `%s --model`', async (_what, command) => {
    const { key, input, heal } = failing();
    const { workflowId } = (await cli(startOf(key, input, '--wait', '--json'))).json;
    const scope = await system().scopeOf(workflowId);
    heal();
    const asked = ['--model', 'model-b', '--reasoning-effort', 'low', '--max-output-tokens', '900'];
    const again = [...command(key, input), ...asked, '--wait', '--json'];
    expect(await cli(again)).toMatchObject({ code: 0, json: { result: 'charged', resumed: true } });
    expect(await system().receivedBy(`${scope}:t3.model`)).toMatchObject([
      { body: { model: 'model-b', reasoning_effort: 'low', max_completion_tokens: 900 } },
    ]);
    // Once more: it is the run that there is.
    expect(await cli(again)).toMatchObject({ code: 0, json: { result: 'charged' } });
  });

  test('of an agent that was changed since: says what counts', async () => {
    const { key, input, heal } = failing();
    await cli(startOf(key, input, '--wait'));
    heal();
    const changed = { TEST_INSTRUCTIONS: 'Be quick about it.' };
    const { code, json, stderr } = await cli(
      startOf(key, input, '--retry-failed', '--json'),
      changed,
    );
    expect({ code, json }).toMatchObject({ code: 0, json: { definitionChanged: true } });
    expect(stderr).toMatch(/definition has changed since: recorded steps count/);
  });

  test('at its turn limit goes on with the --max-turns that the message names', async () => {
    const key = `k-${randomUUID()}`;
    const two = script(calls(['look', { label: key }]), calls(['look', { label: `${key}-2` }]), {
      say: 'in three',
    });
    const input = ['--input-json', JSON.stringify(two), '--wait'];
    const failed = await cli(['start', 'short', '--key', key, ...input]);
    expect(failed.code).toBe(4);
    expect(failed.stderr).toContain(`agent-once resume short ${key} --max-turns 4\n`);
    expect(await cli(['resume', 'short', key, '--wait', '--max-turns', '4'])).toMatchObject({
      code: 0,
      stdout: 'in three\n',
    });
  });
});

describe('--dedupe-window', () => {
  test('makes one run of the same input, and says under which key', async () => {
    const input = JSON.stringify(script({ say: `windowed ${randomUUID()}` }));
    const flags = ['start', 'tester', '--dedupe-window', '--input-json', input, '--json'];
    const first = await cli(flags);
    expect(first).toMatchObject({ code: 0, json: { replayed: false, keyGenerated: true } });
    expect(first.stderr).toMatch(
      new RegExp(`same input is the same run for 300 s .*${first.json.key}`),
    );
    expect(await cli(flags)).toMatchObject({
      code: 0,
      json: { replayed: true, runId: first.json.runId, key: first.json.key },
    });
    const other = flags.map((flag) => (flag === input ? '"another"' : flag));
    expect((await cli(other)).json).toMatchObject({ replayed: false });
  });
});

test('a wrong command line ends with exit code 2 and says why', async () => {
  const input = ['--input', 'x'];
  const wrong: [string[], RegExp][] = [
    [['--key', 'k', '--dedupe-window', ...input], /--key or --dedupe-window/],
    [['--dedupe-window=soon', ...input], /--dedupe-window=60/],
    [['--dedupe-window=0', ...input], /--dedupe-window=60/],
    [['--max-turns', '0', ...input], /whole number from 1/],
  ];
  const nowhere = { TEMPORAL_ADDRESS: '127.0.0.1:1' };
  for (const [args, says] of wrong) {
    const { code, stdout, stderr } = await runCommand(['start', 'assistant', ...args], nowhere);
    expect({ args, code, stdout, stderr }).toEqual({
      args,
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(says),
    });
  }
});
