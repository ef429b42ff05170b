import { invalidSetting, readCount, readFlag, readOneOf, readText } from '../../env.ts';

/** What the environment says of traces, by the variables of OpenTelemetry's SDKs. */
export interface TraceSettings {
  /** Whether spans are made and sent. */
  on: boolean;
  protocol: 'http/protobuf' | 'http/json';
  /** How long one export may take, its retries included, in milliseconds; absent: not set. */
  timeoutMs: number | undefined;
  /** W3C trace context that a command goes on with. */
  traceparent: string | undefined;
  tracestate: string | undefined;
}

/**
 * Reads what decides whether spans are made. The rest (endpoint, headers, certificates, sampler,
 * limits, resource) the SDK reads itself.
 *
 * @throws {AgentOnceError} `config.invalid`
 */
export function readTraceSettings(env?: NodeJS.ProcessEnv): TraceSettings {
  const endpoints = [
    readText('OTEL_EXPORTER_OTLP_ENDPOINT', env),
    readText('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', env),
  ];
  const disabled = readFlag('OTEL_SDK_DISABLED', false, env);
  const exporter = readOneOf('OTEL_TRACES_EXPORTER', ['otlp', 'none'], env);
  const named = exporter === 'otlp' || endpoints.some((endpoint) => endpoint !== undefined);
  const on = !disabled && exporter !== 'none' && named;
  const forAll = readText('OTEL_EXPORTER_OTLP_PROTOCOL', env);
  const protocol = readText('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', env) ?? forAll ?? 'http/protobuf';
  // The same variable is there for metrics and logs of others: it matters where traces are on.
  if (on && !isProtocol(protocol)) {
    throw invalidSetting(
      'OTEL_EXPORTER_OTLP_PROTOCOL',
      'is neither http/protobuf nor http/json. Receivers that take grpc take these too, by default at port 4318',
    );
  }
  const timeouts = ['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', 'OTEL_EXPORTER_OTLP_TIMEOUT'];
  const set = timeouts.filter((name) => readText(name, env) !== undefined);
  return {
    on,
    protocol: isProtocol(protocol) ? protocol : 'http/protobuf',
    timeoutMs: set[0] === undefined ? undefined : readCount(set[0], 1, env),
    traceparent: readText('TRACEPARENT', env),
    tracestate: readText('TRACESTATE', env),
  };
}

function isProtocol(text: string): text is TraceSettings['protocol'] {
  return text === 'http/protobuf' || text === 'http/json';
}
