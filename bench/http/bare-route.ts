/**
 * The bare route, in a process of its own: what a backend writes who has Temporal and Fastify and
 * wants duplicates found. It sends Temporal what our service sends it, no more and no less: the same
 * requests with the same contents, which it is told. It has nothing else: no API keys, no schemas, no
 * limits, no logs, no problem details.
 */
import { createHash } from 'node:crypto';
import {
  Client,
  Connection,
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdReusePolicy,
} from '@temporalio/client';
import fastify from 'fastify';
import { defineSearchAttributeKey } from '@temporalio/common';
import { answerParent } from '../answer-parent.ts';
import type { SameStart } from './start-of.ts';

const connection = await Connection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? '' });
const { workflow } = new Client({ connection });
const same = JSON.parse(process.env['BENCH_START'] ?? '') as SameStart;
const typedSearchAttributes = Object.entries(same.searchAttributes).map(([name, value]) => ({
  key: defineSearchAttributeKey(name, 'KEYWORD'),
  value,
}));
/** Keys that were seen taken: looked for before they are started, as our service does. */
const seen = new Set<string>();

const app = fastify();
app.post<{ Body: { input: string } }>('/runs', async (request, reply) => {
  const { input } = request.body;
  const workflowId = `bare-${String(request.headers['idempotency-key'])}`;
  const body = createHash('sha256').update(input).digest('hex');
  if (!seen.has(workflowId)) {
    try {
      const { firstExecutionRunId: runId } = await workflow.start(same.type, {
        workflowId,
        workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
        taskQueue: same.taskQueue,
        args: same.args,
        memo: { ...same.memo, fingerprint: body },
        typedSearchAttributes,
        staticSummary: same.staticSummary,
        staticDetails: same.staticDetails,
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
  if (memo?.['fingerprint'] !== body) return reply.code(422).send({ error: 'The key is taken.' });
  const result = status.name === 'RUNNING' ? null : await handle.result();
  return reply.code(202).send({ id: workflowId, runId, result });
});

const parent = answerParent();
process.on('SIGTERM', () => {
  parent.leave();
  void app.close().then(() => connection.close());
});
parent.ready(await app.listen({ host: '127.0.0.1', port: 0 }));
