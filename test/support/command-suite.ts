import { afterAll, beforeAll } from '@jest/globals';
import { runCommand } from './cli.ts';
import { startTestSystem, type TestSystem } from './system.ts';

/** A system with a worker, and the command with the agents of that worker. Called once a suite. */
export function commandSuite() {
  let system: TestSystem;
  beforeAll(async () => {
    system = await startTestSystem();
    await system.startWorker();
  });
  afterAll(() => system.close());
  return {
    /** Only inside tests. */
    system: () => system,
    async cli(args: string[], more: Record<string, string> = {}) {
      const result = await runCommand(args, { ...system.env, TEST_AGENTS: 'of workers', ...more });
      const json = args.includes('--json') ? JSON.parse(result.stdout) : undefined;
      return { ...result, json };
    },
  };
}

/** Arguments that start a run of the test agent. */
export function startOf(key: string, input: unknown, ...flags: string[]): string[] {
  return ['start', 'tester', '--key', key, '--input-json', JSON.stringify(input), ...flags];
}
