import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { listProcesses, makeFolder, spawnNode, waitUntil, type Spawned } from './processes.ts';

// What decides about the model must not come from the machine that runs the tests.
const { OPENAI_API_KEY: _key, OPENAI_BASE_URL: _url, ...env } = process.env;

/** `agent-once dev` on free ports, and nothing left of it after each test. Called once a suite. */
export function devSuite() {
  let folder: string;
  let remove: () => Promise<void>;
  const started: Spawned[] = [];
  beforeAll(async () => {
    ({ folder, remove } = await makeFolder());
  });
  afterEach(async () => {
    for (const dev of started.splice(0)) {
      dev.process.kill('SIGKILL');
      await dev.ended;
    }
    await waitUntilNothingRunsIn(folder);
  });
  afterAll(() => remove());
  return {
    /** Only inside tests. */
    folder: () => folder,
    dev(dataDir: string, ...args: string[]): Spawned {
      const ports = ['temporal', 'ui', 'postgres', 'model', 'shop', 'http'].flatMap((part) =>
        args.includes(`--${part}-port`) ? [] : [`--${part}-port`, '0'],
      );
      const all = ['bin/agent-once.js', 'dev', '--data-dir', dataDir, ...ports, ...args];
      const spawned = spawnNode(all, env);
      started.push(spawned);
      return spawned;
    },
  };
}

/** By command line: every server of a stack names its data folder. */
export async function waitUntilNothingRunsIn(folder: string): Promise<void> {
  await waitUntil(`nothing runs in ${folder}`, async () =>
    (await listProcesses()).every(({ command }) => !command.includes(folder)),
  );
}
