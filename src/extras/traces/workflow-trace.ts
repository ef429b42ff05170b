/**
 * What the workflows' sandbox and the worker must agree on: the IDs of a run's own span, and where its
 * trace travels. Nothing is imported here: it is in the workflows' bundle.
 */

/** The header in which Temporal's own interceptors, in all languages, put the trace. */
export const TRACE_HEADER = '_tracer-data';

/** That span is written when the run ends, and its steps must name it before, on whatever worker. */
export function spanIdOf(runId: string): string {
  return runId.replaceAll('-', '').slice(-16);
}

/** The trace of a run that came without one, whoever asks. */
export function traceIdOf(runId: string): string {
  return runId.replaceAll('-', '').padStart(32, '0').slice(0, 32);
}

/** A span in the lines of a log, by the names that OpenTelemetry gives them there. */
export interface LogFields {
  trace_id: string;
  span_id: string;
}

/** Of a run, for its lines: its own span, in the trace that it came with or, without one, in its own. */
export function logFieldsOf(runId: string, traceparent?: unknown): LogFields {
  const [, incoming] = /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-/.exec(String(traceparent)) ?? [];
  return { trace_id: incoming ?? traceIdOf(runId), span_id: spanIdOf(runId) };
}
