import { randomBytes } from 'node:crypto';
import { trace, ROOT_CONTEXT, type Context, type Span, type SpanContext } from '@opentelemetry/api';
import { spanIdOf, traceIdOf } from './workflow-trace.ts';

/**
 * IDs of spans, random ones but for a run's own: that span is written when the run ends, and its steps
 * must name it before, on whatever worker. So its ID is made of the run's.
 */
let given: Partial<Pick<SpanContext, 'traceId' | 'spanId'>> = {};

export const runIds = {
  generateTraceId: (): string => given.traceId ?? randomBytes(16).toString('hex'),
  generateSpanId: (): string => given.spanId ?? randomBytes(8).toString('hex'),
};

/** Starts a span under IDs that are given. */
function startAs(ids: typeof given, start: () => Span): Span {
  given = ids;
  try {
    return start();
  } finally {
    given = {};
  }
}

/** The trace of a run that came without one, whoever asks. */
function ownTrace(runId: string): Pick<SpanContext, 'traceId' | 'traceFlags'> {
  const traceId = traceIdOf(runId);
  // Asked for what the sampler says, and never ended.
  const asked = startAs({ traceId }, () => tracer().startSpan('run', { root: true }));
  return { traceId, traceFlags: asked.spanContext().traceFlags };
}

/** Of a run's own span, for whatever happens in it. */
export function inRun(incoming: Context, runId: string): Context {
  const from = trace.getSpanContext(incoming) ?? ownTrace(runId);
  const own: SpanContext = { ...from, spanId: spanIdOf(runId), isRemote: true };
  return trace.setSpanContext(incoming, own);
}

/** Starts a run's own span, when it is over. */
export function startRunSpan(incoming: Context, runId: string, start: StartSpan): Span {
  const spanId = spanIdOf(runId);
  const parent = trace.getSpanContext(incoming);
  const ids = parent ? { spanId } : { spanId, traceId: ownTrace(runId).traceId };
  return startAs(ids, () => start(parent ? incoming : ROOT_CONTEXT));
}

type StartSpan = (parent: Context) => Span;

/** Spans are made by whatever SDK the process has. */
export function tracer() {
  return trace.getTracer('agent-once');
}
