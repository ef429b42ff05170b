import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JsonValue } from '../../src/contract/json-value.ts';
import type { RunView, StartRequest } from '../../src/client/types.ts';
import { runCommand } from '../support/cli.ts';
import { testWith } from '../support/extras.ts';
import { calls, script, startTestSystem, type TestSystem } from '../support/system.ts';
import { untilEnd } from '../support/until-end.ts';

let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem();
  await system.startWorker();
});
afterAll(async () => {
  await system.close();
});

const shadowOf = (...answers: JsonValue[]): StartRequest => ({
  agent: 'tester',
  input: script(...answers),
  options: { shadow: true },
});

async function ended(request: StartRequest, { client } = system): Promise<RunView> {
  return untilEnd(client, await client.start(request));
}

async function scopeOf({ workflowId }: RunView): Promise<string> {
  const { raw, memo } = await system.temporal.workflow.getHandle(workflowId).describe();
  const { scope } = memo as { scope?: string };
  return scope ?? raw.workflowExecutionInfo?.firstRunId ?? '';
}

describe('a shadow run', () => {
  const label = 'rehearsed';
  const all = [
    calls(
      ['look', { label }],
      ['charge', { label }],
      ['note', { label }],
      ['book', { label }],
      ['send', { label }],
    ),
    calls(['spend', { label, amount: 100 }], ['ship', { label }]),
    { say: 'ok' },
  ];

  test('reads, records effects of every class, executes none, asks nobody, and lists them', async () => {
    const view = await ended(shadowOf(...all));
    expect(view).toMatchObject({ status: 'completed', result: 'ok', waiting: [] });
    const scope = `shadow.${await scopeOf(view)}`;
    const effect = (step: string, tool: string, more: object = {}) => ({
      step,
      tool,
      effect: expect.any(String),
      summary: expect.stringContaining(tool),
      arguments: JSON.stringify({ label }),
      token: `${scope}:${step}`,
      approval: false,
      ...more,
    });
    expect(view.shadow).toEqual([
      effect('t1.c1', 'charge'),
      effect('t1.c2', 'note'),
      effect('t1.c3', 'book'),
      effect('t1.c4', 'send'),
      effect('t2.c0', 'spend', { arguments: expect.stringContaining('100'), approval: true }),
      effect('t2.c1', 'ship'),
    ]);

    expect(system.counter.requests(`look:${label}`)).toBe(1);
    for (const tool of ['charge', 'book', 'send', 'spend', 'ship']) {
      expect(system.counter.requests(`${tool}:${label}`)).toBe(0);
    }
    const { rows } = await system.sql.query('SELECT 1 FROM notes WHERE label = $1', [label]);
    expect(rows).toHaveLength(0);
    expect(await system.ledger.questions(scope)).toEqual([]);

    expect(await system.ledger.step(scope, 't1.c0')).toMatchObject({ knownBy: null });
    expect(await system.ledger.step(scope, 't1.c4')).toMatchObject({
      state: 'completed',
      effect: 'at-most-once',
      knownBy: 'shadow',
      result: { shadow: true, note: expect.stringContaining('send was not called') },
    });
    // What the tool's own `shadow` pretends.
    expect(await system.ledger.step(scope, 't2.c1')).toMatchObject({ result: { shipped: label } });
  });

  test('and a real one never share anything: key, window or scope', async () => {
    const key = 'rehearsal-then-real';
    const shipped = [calls(['ship', { label: 'real' }]), { say: 'ok' }];
    const request = { ...shadowOf(...shipped), key };
    const { options: _options, ...real } = request;
    const shadow = await ended(request);
    expect(await ended(request)).toEqual(shadow);
    await expect(system.client.start(real)).rejects.toMatchObject({ code: 'key.conflict' });

    // After the rehearsal was forgotten, its key is new, and its scope ends.
    await system.client.forget({ agent: 'tester', key });
    const view = await ended(real);
    expect(view).toMatchObject({ status: 'completed' });
    expect(view).not.toHaveProperty('shadow');
    expect(system.counter.requests('ship:real')).toBe(1);
    expect(await scopeOf(view)).not.toMatch(/^shadow/);
    await expect(system.client.start(request)).rejects.toMatchObject({ code: 'key.conflict' });
  });

  test('that fails lists what would have happened, and so does its resume', async () => {
    const request = {
      ...shadowOf(calls(['charge', { label: 'cut' }]), calls(['flaky', { failures: 3 }]), {
        say: 'ok',
      }),
      key: 'shadow-fails',
    };
    const charge = { tool: 'charge', step: 't1.c0' };
    const failed = await ended(request);
    expect(failed).toMatchObject({ status: 'failed', error: { code: 'tool.failed' } });
    expect(failed.shadow).toMatchObject([charge]);
    const again = await ended({ ...request, retryFailed: true });
    expect(again).toMatchObject({ status: 'failed', shadow: [charge] });
    expect(system.counter.requests('charge:cut')).toBe(0);
  });

  test('shows no arguments where history shows no results', async () => {
    const view = await ended({
      ...shadowOf(calls(['charge', { label: 'discreet' }]), { say: 'ok' }),
      agent: 'discreet',
    });
    expect(view.shadow).toHaveLength(1);
    expect(view.shadow?.[0]).not.toHaveProperty('arguments');
  });

  test('is started and shown by the command', async () => {
    const env = { ...system.env, TEST_AGENTS: 'of workers' };
    const input = JSON.stringify(script(calls(['charge', { label: 'cli' }]), { say: 'ok' }));
    const start = ['start', 'tester', '--key', 'cli-shadow', '--input-json', input, '--wait'];
    const text = await runCommand([...start, '--shadow'], env);
    expect(text).toMatchObject({ code: 0, stdout: 'ok\n' });
    expect(text.stderr).toMatch(/this would have happened and did not:\n {2}t1\.c0 {2}charge/);
    expect(text.stderr).toContain('{"label":"cli"}');
    const { stdout } = await runCommand([...start, '--shadow', '--json'], env);
    expect(JSON.parse(stdout)).toMatchObject({
      replayed: true,
      shadow: [{ step: 't1.c0', tool: 'charge', approval: false }],
    });
    expect(await runCommand(start, env)).toMatchObject({ code: 3 });
    expect(system.counter.requests('charge:cli')).toBe(0);
  });

  testWith('explain')('the command explains it as pretended', async () => {
    const env = { ...system.env, TEST_AGENTS: 'of workers' };
    const input = JSON.stringify(script(calls(['charge', { label: 'cli' }]), { say: 'ok' }));
    const start = ['start', 'tester', '--key', 'cli-explained', '--input-json', input, '--wait'];
    await runCommand([...start, '--shadow'], env);
    const explained = await runCommand(['explain', 'tester', 'cli-explained', '--json'], env);
    const { steps } = JSON.parse(explained.stdout) as { steps: object[] };
    expect(steps).toMatchObject([
      { id: 't1.model', knownBy: 'executed' },
      { id: 't1.c0', effect: 'keyed', knownBy: 'shadow', happened: 'no' },
      { id: 't2.model', knownBy: 'executed' },
    ]);
  });
});

test('a worker for shadow runs only ends a real run before anything is done or paid', async () => {
  const other = await startTestSystem();
  try {
    await other.startWorker({ AGENT_ONCE_SHADOW_ONLY: 'on' });
    const request = shadowOf(calls(['look', { label: 'forgotten flag' }]), { say: 'ok' });
    const { options: _options, ...real } = request;
    expect(await ended(real, other)).toMatchObject({
      status: 'failed',
      error: { code: 'run.not_shadow', message: expect.stringContaining('--shadow') },
    });
    expect((await other.modelRequests()).requests).toBe(0);
    const { rows } = await other.sql.query('SELECT 1 FROM agent_once.steps');
    expect(rows).toHaveLength(0);
    expect(other.counter.requests('look:forgotten flag')).toBe(0);
    expect(await ended(request, other)).toMatchObject({ status: 'completed', shadow: [] });
  } finally {
    await other.close();
  }
});
