/**
 * The worker of the plain workflow, in a process of its own, with the SDK's own defaults in all but the
 * activity slots, where `BENCH_PLAIN_SLOTS` is set.
 */
import path from 'node:path';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { answerParent } from '../answer-parent.ts';
import { activities } from './activities.ts';

Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: ['SIGTERM'] });
const parent = answerParent();
const connection = await NativeConnection.connect({
  address: process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233',
});
const slots = process.env['BENCH_PLAIN_SLOTS'];
const worker = await Worker.create({
  connection,
  taskQueue: 'bench-plain',
  workflowsPath: path.join(import.meta.dirname, 'workflows.ts'),
  activities,
  ...(slots === undefined ? {} : { maxConcurrentActivityTaskExecutions: Number(slots) }),
});
process.stdout.write('ready\n');
parent.ready('');
await worker.run();
await connection.close();
parent.leave();
