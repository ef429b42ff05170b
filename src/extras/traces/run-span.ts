import { SpanStatusCode } from '@opentelemetry/api';
import type { Headers } from '@temporalio/common';
import type { WorkflowInfo } from '@temporalio/workflow';
import { AGENT_RUN } from '../../contract/names.ts';
import { errorType, OWN, runAttributes } from './attributes.ts';
import { GEN_AI, OPERATION } from './gen-ai.ts';
import { startRunSpan, tracer } from './run-ids.ts';
import { traceIn } from './temporal-headers.ts';
import type { RunEnd } from './workflow-interceptors.ts';

/** Writes the span of a run that has ended, from its beginning on. */
export function writeRunSpan(
  { runId, workflowType, startTime }: WorkflowInfo,
  run: { agent?: string; tenant?: string },
  { how, code }: RunEnd,
  trace: Headers,
): void {
  const isAgent = workflowType === AGENT_RUN && run.agent !== undefined;
  const name = isAgent ? `${OPERATION.agent} ${run.agent}` : `RunWorkflow:${workflowType}`;
  const attributes = {
    ...(isAgent ? { [GEN_AI.operation]: OPERATION.agent } : {}),
    ...runAttributes(run),
    [OWN.runId]: runId,
    [OWN.ended]: how,
    ...(code === undefined ? {} : { [OWN.errorType]: errorType({ code }) }),
  };
  const span = startRunSpan(traceIn(trace), runId, (parent) =>
    tracer().startSpan(name, { attributes, startTime }, parent),
  );
  if (how === 'failed') span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}
