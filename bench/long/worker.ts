/** The worker of the long plain workflow, in a process of its own, with the SDK's own defaults. */
import path from 'node:path';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { answerParent } from '../answer-parent.ts';
import { activities } from '../plain/activities.ts';
import { textOf, TOOL_BYTES } from './conversation.ts';

Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: ['SIGTERM'] });
const parent = answerParent();
const connection = await NativeConnection.connect({
  address: process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233',
});
const worker = await Worker.create({
  connection,
  taskQueue: 'bench-long',
  workflowsPath: path.join(import.meta.dirname, 'workflow.ts'),
  activities: {
    callModel: activities.callModel,
    async look(args: string): Promise<string> {
      await activities.look(args);
      return textOf(TOOL_BYTES);
    },
  },
});
parent.ready('');
await worker.run();
await connection.close();
parent.leave();
