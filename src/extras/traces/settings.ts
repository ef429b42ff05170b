import { invalidSetting, readCount, readFlag, readText } from '../../env.ts';

type Exporter = 'otlp' | 'console';

/** What the environment says of traces, by the variables of OpenTelemetry's SDKs. */
export interface TraceSettings {
  /** Where spans are sent; nowhere: none is made. */
  exporters: readonly Exporter[];
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
  const named = endpoints.some((endpoint) => endpoint !== undefined) ? 'otlp' : 'none';
  const exporters = disabled ? [] : exportersIn(readText('OTEL_TRACES_EXPORTER', env) ?? named);
  const forAll = readText('OTEL_EXPORTER_OTLP_PROTOCOL', env);
  const protocol = readText('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', env) ?? forAll ?? 'http/protobuf';
  // The same variable is there for metrics and logs of others: it matters where traces are on.
  if (exporters.includes('otlp') && !isProtocol(protocol)) {
    throw invalidSetting(
      'OTEL_EXPORTER_OTLP_PROTOCOL',
      'is neither http/protobuf nor http/json. Receivers that take grpc take these too, by default at port 4318',
    );
  }
  const timeouts = ['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', 'OTEL_EXPORTER_OTLP_TIMEOUT'];
  const set = timeouts.filter((name) => readText(name, env) !== undefined);
  return {
    exporters,
    protocol: isProtocol(protocol) ? protocol : 'http/protobuf',
    timeoutMs: set[0] === undefined ? undefined : readCount(set[0], 1, env),
    traceparent: readText('TRACEPARENT', env),
    tracestate: readText('TRACESTATE', env),
  };
}

/** A list, as OpenTelemetry has it. */
function exportersIn(text: string): Exporter[] {
  const names = new Set(text.split(',').map((name) => name.trim()));
  names.delete('none');
  return [...names].map((name) => {
    if (name === 'otlp' || name === 'console') return name;
    throw invalidSetting('OTEL_TRACES_EXPORTER', 'is none of otlp, console and none');
  });
}

function isProtocol(text: string): text is TraceSettings['protocol'] {
  return text === 'http/protobuf' || text === 'http/json';
}
