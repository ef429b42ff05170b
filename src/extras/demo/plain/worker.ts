/** The worker of the plain workflow, in a process of its own, to be killed. */
import path from 'node:path';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { activities } from './activities.ts';

export const PLAIN_TASK_QUEUE = 'plain-agent';

Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: ['SIGTERM'] });
const connection = await NativeConnection.connect({
  address: process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233',
});
const worker = await Worker.create({
  connection,
  taskQueue: PLAIN_TASK_QUEUE,
  workflowsPath: path.join(import.meta.dirname, 'workflow.ts'),
  activities,
});
process.stdout.write('ready\n');
await worker.run();
await connection.close();
