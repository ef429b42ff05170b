import { hrTimeToMilliseconds, hrTimeToTimeStamp, ExportResultCode } from '@opentelemetry/core';
import type { SpanExporter } from '@opentelemetry/sdk-trace-node';

/**
 * Writes each span to stderr, as one line of JSON: OpenTelemetry's own writes many lines to stdout, where
 * a command's result is.
 */
export const consoleExporter: SpanExporter = {
  export(spans, done) {
    for (const span of spans) {
      const { traceId, spanId } = span.spanContext();
      const line = {
        time: hrTimeToTimeStamp(span.startTime),
        span: span.name,
        service: span.resource.attributes['service.name'],
        trace_id: traceId,
        span_id: spanId,
        parent_span_id: span.parentSpanContext?.spanId,
        durationMs: hrTimeToMilliseconds(span.duration),
        status: span.status,
        attributes: span.attributes,
      };
      process.stderr.write(`${JSON.stringify(line)}\n`);
    }
    done({ code: ExportResultCode.SUCCESS });
  },
  shutdown: () => Promise.resolve(),
};
