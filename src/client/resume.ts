import type { Payload } from '@temporalio/common';
import { AgentOnceError } from '../contract/errors.ts';
import type { AgentRunInput, RunLimits } from '../contract/run.ts';
import { ask, type ClientContext, type RunIdentity } from './context.ts';
import { getExecution } from './describe.ts';
import { startRun } from './start.ts';
import type { StartedRun } from './types.ts';
import { firstRunIdOf } from './view.ts';

/**
 * Resumes a run of which only the ID is known: its request is read from Temporal. As `startRun`
 * with `retryFailed`.
 *
 * @throws {AgentOnceError} `run.not_found`, `temporal.…`; those of `startRun`
 */
export async function resumeRun(
  context: ClientContext,
  run: RunIdentity,
  { limits }: { limits?: RunLimits } = {},
): Promise<StartedRun> {
  const execution = await getExecution(context, run);
  // The first of a chain that continued as new has the input; the others need it no more.
  const { input, options } = await readStart(context, run, firstRunIdOf(execution));
  return startRun(
    context,
    {
      agent: run.agent,
      tenant: run.tenant,
      key: run.key,
      retryFailed: true,
      ...(input === undefined ? {} : { input }),
      ...(options === undefined ? {} : { options }),
      ...(limits === undefined ? {} : { limits }),
    },
    run,
  );
}

async function readStart(
  context: ClientContext,
  { workflowId }: RunIdentity,
  runId: string,
): Promise<AgentRunInput> {
  const { temporal } = context;
  const { payloadConverter, payloadCodecs } = temporal.options.loadedDataConverter;
  const { history } = await ask(context, () =>
    temporal.workflowService.getWorkflowExecutionHistory({
      namespace: temporal.options.namespace,
      execution: { workflowId, runId },
      maximumPageSize: 1,
    }),
  );
  const started = history?.events?.[0]?.workflowExecutionStartedEventAttributes;
  let payloads = (started?.input?.payloads ?? []) as Payload[];
  for (const codec of payloadCodecs) payloads = await codec.decode(payloads);
  const [payload] = payloads;
  if (payload) return payloadConverter.fromPayload<AgentRunInput>(payload);
  throw new AgentOnceError(
    'run.not_found',
    'Temporal no longer has the request of this run. Start it again with its key and input, and --retry-failed.',
  );
}
