import { setTimeout as sleep } from 'node:timers/promises';
import { propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { ModelEndpoints } from '../../contract/model-endpoint.ts';
import { setOfProcess } from './current.ts';
import { runIds, tracer } from './run-ids.ts';
import { traceRequests } from './service-spans.ts';
import type { TraceSettings } from './settings.ts';
import { createSpans, type Spans } from './spans.ts';

/** Commands that serve until they are told to stop, and what they are in a trace. */
const SERVING: Readonly<Record<string, string>> = {
  worker: 'agent-once-worker',
  serve: 'agent-once-service',
};

/** How long the last spans may take at the end, in milliseconds. */
const COMMAND_MS = 1_000;
const SERVING_MS = 5_000;

/** What makes spans, and what sends the last ones, once, and never rejects. */
interface Tracing {
  spans: Spans;
  finish(): Promise<void>;
}

/**
 * Starts OpenTelemetry's SDK in this process: spans go to the receiver that its variables name.
 *
 * @param command that the process runs
 */
export async function startTracing(
  settings: TraceSettings,
  command: string,
  models: ModelEndpoints | undefined,
): Promise<Tracing> {
  const serving = SERVING[command];
  const limitMs = serving === undefined ? COMMAND_MS : SERVING_MS;
  const provider = new NodeTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': serving ?? 'agent-once-cli' }))
      // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES.
      .merge(detectResources({ detectors: [envDetector] })),
    idGenerator: runIds,
    spanProcessors: [new BatchSpanProcessor(await openExporter(settings, limitMs))],
  });
  // Without baggage: what callers put there is nobody's business in a history, or at a model's.
  provider.register({ propagator: new W3CTraceContextPropagator() });
  if (command === 'serve') traceRequests();
  const span = serving === undefined ? startCommand(settings, command) : undefined;
  let finished: Promise<void> | undefined;
  const inTime = (sent: Promise<void>): Promise<void> =>
    Promise.race([sent.catch(() => {}), sleep(limitMs, undefined, { ref: false })]);
  return {
    spans: createSpans(models, () => inTime(provider.forceFlush())),
    finish() {
      span?.setAttribute('process.exit.code', Number(process.exitCode ?? 0)).end();
      return (finished ??= inTime(provider.shutdown()));
    },
  };
}

/** A receiver that is away is given up after the limit, by the export itself too. */
async function openExporter({ protocol, timeoutMs }: TraceSettings, limitMs: number) {
  const { OTLPTraceExporter } =
    protocol === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  return new OTLPTraceExporter({ timeoutMillis: timeoutMs ?? limitMs });
}

/** The span of a command, in the trace that `TRACEPARENT` names. */
function startCommand({ traceparent, tracestate }: TraceSettings, command: string) {
  const from = propagation.extract(ROOT_CONTEXT, { traceparent, tracestate });
  const span = tracer().startSpan(`agent-once ${command}`, {}, from);
  setOfProcess(trace.setSpan(from, span));
  return span;
}
