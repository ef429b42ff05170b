/**
 * The bare route, in a process of its own: what a backend writes who has Temporal and Fastify and
 * wants duplicates found. It sends Temporal what our service sends it, no more and no less, and has
 * nothing else: no API keys, no schemas, no limits, no logs, no problem details.
 */
import { createHash } from 'node:crypto';
import {
  Client,
  Connection,
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdReusePolicy,
} from '@temporalio/client';
import fastify from 'fastify';
import { answerParent } from './answer-parent.ts';

const connection = await Connection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? '' });
const { workflow } = new Client({ connection });
/** Keys that were seen taken: looked for before they are started, as our service does. */
const seen = new Set<string>();

const app = fastify();
app.post<{ Body: { input: string } }>('/runs', async (request, reply) => {
  const { input } = request.body;
  const workflowId = `bare-${String(request.headers['idempotency-key'])}`;
  const body = createHash('sha256').update(input).digest('hex');
  if (!seen.has(workflowId)) {
    try {
      const { firstExecutionRunId: runId } = await workflow.start('plainAgent', {
        workflowId,
        workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
        taskQueue: 'bench-plain',
        args: [input],
        memo: { body },
      });
      seen.add(workflowId);
      return await reply.code(202).send({ id: workflowId, runId });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      seen.add(workflowId);
    }
  }
  const handle = workflow.getHandle(workflowId);
  const { runId, status, memo } = await handle.describe();
  if (memo?.['body'] !== body) return reply.code(422).send({ error: 'The key is taken.' });
  const result = status.name === 'RUNNING' ? null : ((await handle.result()) as string);
  return reply.code(202).send({ id: workflowId, runId, result });
});

const parent = answerParent();
process.on('SIGTERM', () => {
  parent.leave();
  void app.close().then(() => connection.close());
});
parent.ready(await app.listen({ host: '127.0.0.1', port: 0 }));
