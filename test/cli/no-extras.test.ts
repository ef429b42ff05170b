import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runCommand } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { calls, script, startTestSystem, type TestSystem } from '../support/system.ts';
import { untilEnd } from '../support/until-end.ts';

/** What the engine's program has, composed of no extras. */
const COMMANDS = ['start', 'status', 'result', 'resume', 'cancel', 'list', 'worker', 'help'];

let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem();
  await system.startWorker();
});
afterAll(() => system.close());

async function cli(...args: string[]): Promise<string> {
  const env = { ...system.env, TEST_AGENTS: 'of workers', TEST_EXTRAS: 'none' };
  const { stdout, stderr } = await runCommand(args, env);
  return stdout + stderr;
}

/** The commands that an output advises to type. */
function advisedBy(output: string): string[] {
  const typed = /(?:agent-once|node \S+\.js) (?=[a-z])([a-z-]+)/g;
  return [...output.matchAll(typed)].map(([, name = '']) => name);
}

describe('a program without extras advises no command that it lacks', () => {
  test('about a run that failed, completed or was cancelled', async () => {
    system.counter.fail('look:failed');
    const asked = { failed: calls(['look', { label: 'failed' }]), completed: undefined };
    for (const [key, first] of Object.entries(asked)) {
      const input = first ? script(first, { say: 'ok' }) : script({ say: 'ok' });
      await system.client.start({ agent: 'tester', key, input });
      await untilEnd(system.client, { agent: 'tester', key });
    }
    const failed = await cli('status', 'tester', 'failed');
    expect(failed).toContain('tool.failed');
    expect(advisedBy(failed)).toEqual(['resume']);
    expect(advisedBy(await cli('result', 'tester', 'failed'))).toEqual(['resume']);
    expect(advisedBy(await cli('resume', 'tester', 'failed', '--wait'))).toEqual(['resume']);
    expect(advisedBy(await cli('status', 'tester', 'completed'))).toEqual(['result']);
    expect(advisedBy(await cli('cancel', 'tester', 'completed'))).toEqual([]);
  });

  test('about a run that waits for a person: it says what for', async () => {
    const ref = { agent: 'tester', key: 'waits' };
    system.counter.drop('send:w');
    const wanted = calls(['spend', { label: 'w', amount: 100 }], ['send', { label: 'w' }]);
    await system.client.start({ ...ref, input: script(wanted, { say: 'ok' }) });
    await eventually(async () => {
      const { waiting } = await system.client.describe(ref);
      if (waiting.length !== 2) throw new Error(`${waiting.length} questions`);
    });
    for (const command of ['status', 'result']) {
      const output = await cli(command, 'tester', 'waits');
      expect(output).toMatch(/t1\.c0 spend 100 on w · needs approval\n.*Unless answered by/);
      expect(output).toMatch(/t1\.c1 send w · outcome unknown\n.*Begun by/);
      expect(advisedBy(output)).toEqual([]);
      expect(output).not.toMatch(/--by|How to answer/);
    }
    const listed = await eventually(async () => {
      const output = await cli('list', '--status', 'waiting');
      if (!output.includes('waits')) throw new Error('Temporal does not list it yet');
      return output;
    });
    expect(advisedBy(listed)).toEqual([]);
  });

  test('in its help', async () => {
    for (const command of ['', ...COMMANDS.filter((name) => name !== 'help')]) {
      const output = await cli(...(command === '' ? [] : [command]), '--help');
      expect(output).toContain('Usage: agent-once');
      for (const name of advisedBy(output)) expect(COMMANDS).toContain(name);
    }
  });
});
