import { eventually } from './eventually.ts';
import type { TestSystem, TestWorker } from './system.ts';
import { temporalCommand } from './temporal-command.ts';

const DEPLOYMENT = 'agents';

/** Starts a worker that is a version of a deployment, and makes that the current one. */
export async function startVersion(system: TestSystem, buildId: string): Promise<TestWorker> {
  const worker = await system.startWorker({
    TEMPORAL_DEPLOYMENT_NAME: DEPLOYMENT,
    TEMPORAL_WORKER_BUILD_ID: buildId,
    TEST_OWN_APP: '1',
  });
  const version = `--deployment-name ${DEPLOYMENT} --build-id ${buildId}`;
  const run = (line: string) => temporalCommand(`temporal worker deployment ${line}`, system.env);
  // Made current before the server knows its queues, it would not get their tasks.
  await eventually(async () => {
    const printed = await run(`describe-version ${version}`);
    if ((printed.match(/agent-once +(workflow|activity)/g) ?? []).length < 2)
      throw new Error(printed);
  });
  await run(`set-current-version ${version} --yes`);
  return worker;
}
