import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { connect } from '../../client/connect.ts';
import { startChild, type Child } from '../dev/child-process.ts';
import { PROJECT_ROOT } from '../dev/paths.ts';
import { readRefunds } from './readings.ts';
import { exactly, type Finding } from './report.ts';

const ORDER = 1043;
const LOADER = pathToFileURL(path.join(PROJECT_ROOT, 'bin/register-typescript.js')).href;

/**
 * Takes a plain Temporal workflow, without keys and tokens, through the same kill. Client and worker
 * have no extras: what they send is not encrypted.
 */
export async function comparePlain(shopUrl: string, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const { temporal, close } = await connect({ extras: [] });
  let worker: Child | undefined;
  try {
    const doomed = await startPlainWorker({
      ...env,
      AGENT_ONCE_FAULT: 'after-effect:issue_refund',
    });
    const handle = await temporal.workflow.start('plainAgent', {
      workflowId: 'plain-agent-1',
      taskQueue: 'plain-agent',
      args: [`Refund 25.00 EUR of order ${ORDER}.`],
      workflowExecutionTimeout: 60_000,
    });
    await doomed.exited;
    worker = await startPlainWorker(env);
    await handle.result();
  } finally {
    await worker?.stop();
    await close();
  }
  return [exactly('refunds that it made', 'the shop', await readRefunds(shopUrl, ORDER), 2)];
}

function startPlainWorker(env: NodeJS.ProcessEnv): Promise<Child> {
  return startChild({
    part: 'The plain worker',
    command: process.execPath,
    args: ['--import', LOADER, path.join(PROJECT_ROOT, 'src/extras/demo/plain/worker.ts')],
    env,
  });
}
