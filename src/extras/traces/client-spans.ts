import { SpanKind } from '@opentelemetry/api';
import type { WorkflowClientInterceptor } from '@temporalio/client';
import { OWN, runAttributes } from './attributes.ts';
import { currentContext } from './current.ts';
import { inSpan } from './in-span.ts';
import { withTrace } from './temporal-headers.ts';

/** Spans of what changes a run: its start, an answer to it, its cancellation. Looking has none. */
export const clientSpans: WorkflowClientInterceptor = {
  startWithDetails({ headers, ...input }, next) {
    const { workflowType, options } = input;
    const attributes = runAttributes(options.args[0]);
    const how = { kind: SpanKind.CLIENT, attributes };
    return inSpan(`StartWorkflow:${workflowType}`, how, currentContext(), async (span, own) => {
      const output = await next({ ...input, headers: withTrace(headers, own) });
      span.setAttribute(OWN.runId, output.runId);
      return output;
    });
  },
  startUpdate({ headers, ...input }, next) {
    const name = `UpdateWorkflow:${input.updateName}`;
    return inSpan(name, { kind: SpanKind.CLIENT }, currentContext(), async (span, own) => {
      const output = await next({ ...input, headers: withTrace(headers, own) });
      span.setAttribute(OWN.runId, output.workflowRunId);
      return output;
    });
  },
  cancel: (input, next) =>
    inSpan('CancelWorkflow', { kind: SpanKind.CLIENT }, currentContext(), () => next(input)),
};
