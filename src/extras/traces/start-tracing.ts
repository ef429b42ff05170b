import { setTimeout as sleep } from 'node:timers/promises';
import { propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { servingPart } from '../../cli/commands.ts';
import type { ModelEndpoints } from '../../contract/model-endpoint.ts';
import { consoleExporter } from './console-exporter.ts';
import { setOfProcess } from './current.ts';
import { runIds, tracer } from './run-ids.ts';
import { traceRequests } from './service-spans.ts';
import type { TraceSettings } from './settings.ts';
import { createSpans, type Spans } from './spans.ts';

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
  const serving = servingPart(command);
  const limitMs = serving === undefined ? COMMAND_MS : SERVING_MS;
  const provider = new NodeTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': `agent-once-${serving ?? 'cli'}` }))
      // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES.
      .merge(detectResources({ detectors: [envDetector] })),
    idGenerator: runIds,
    spanProcessors: await Promise.all(
      settings.exporters.map(async (exporter) =>
        exporter === 'console'
          ? new SimpleSpanProcessor(consoleExporter)
          : new BatchSpanProcessor(await openExporter(settings, limitMs)),
      ),
    ),
  });
  // Without baggage: what callers put there is nobody's business in a history, or at a model's.
  provider.register({ propagator: new W3CTraceContextPropagator() });
  if (serving === 'service') traceRequests();
  const span = serving === undefined ? startCommand(settings, command) : undefined;
  let finished: Promise<void> | undefined;
  /** Whether it ended, well or not. */
  const inTime = (sent: Promise<void>): Promise<boolean> => {
    const ended = sent.catch(() => {}).then(() => true);
    return Promise.race([ended, sleep(limitMs, false, { ref: false })]);
  };
  const end = async (): Promise<void> => {
    // What a receiver takes and does not answer would keep the process, as long as an export may take.
    if (!(await inTime(provider.shutdown()))) process.exit();
  };
  return {
    spans: createSpans(models, async () => void (await inTime(provider.forceFlush()))),
    finish() {
      span?.setAttribute('process.exit.code', Number(process.exitCode ?? 0)).end();
      return (finished ??= end());
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
