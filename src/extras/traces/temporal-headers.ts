import { propagation, ROOT_CONTEXT, type Context } from '@opentelemetry/api';
import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import { traceHeaders } from './in-span.ts';
import { TRACE_HEADER } from './workflow-trace.ts';

export function withTrace(headers: Headers, of: Context): Headers {
  const trace = traceHeaders(of);
  if (Object.keys(trace).length === 0) return headers;
  return { ...headers, [TRACE_HEADER]: defaultPayloadConverter.toPayload(trace) };
}

/** The trace that a run came with; without one, or with one that cannot be read, an empty context. */
export function traceIn(headers: Headers): Context {
  const payload = headers[TRACE_HEADER];
  if (!payload) return ROOT_CONTEXT;
  try {
    return propagation.extract(ROOT_CONTEXT, defaultPayloadConverter.fromPayload(payload));
  } catch {
    return ROOT_CONTEXT;
  }
}
