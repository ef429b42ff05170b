import {
  context,
  propagation,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
  type SpanOptions,
} from '@opentelemetry/api';
import { errorType, OWN } from './attributes.ts';
import { tracer } from './run-ids.ts';
import type { LogFields } from './workflow-trace.ts';

/** Works in a span, which ends with the work. Of what is thrown it has the kind, and no text. */
export async function inSpan<T>(
  name: string,
  options: SpanOptions,
  parent: Context,
  work: (span: Span, own: Context) => Promise<T>,
): Promise<T> {
  const span = tracer().startSpan(name, options, parent);
  const own = trace.setSpan(parent, span);
  try {
    return await context.with(own, () => work(span, own));
  } catch (error) {
    fail(span, error);
    throw error;
  } finally {
    span.end();
  }
}

export function fail(span: Span, error: unknown): void {
  span.setAttribute(OWN.errorType, errorType(error));
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** W3C trace context of what is sent: `traceparent`, and `tracestate` where there is one. */
export function traceHeaders(of: Context): Record<string, string> {
  const headers: Record<string, string> = {};
  propagation.inject(of, headers);
  return headers;
}

/** What the lines of a log say of the span that goes on. */
export function logFields(of: Context | undefined): LogFields | undefined {
  const span = of && trace.getSpanContext(of);
  return span && { trace_id: span.traceId, span_id: span.spanId };
}
