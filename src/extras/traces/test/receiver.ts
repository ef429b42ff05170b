import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** A span as a receiver of OTLP got it. */
export interface ReceivedSpan {
  name: string;
  traceId: string;
  spanId: string;
  /** Empty: it has none. */
  parentSpanId: string;
  /** `service.name` of the process that made it. */
  service: string;
  attributes: Record<string, unknown>;
  failed: boolean;
}

interface Value {
  stringValue?: string;
  intValue?: number | string;
  doubleValue?: number;
  boolValue?: boolean;
  arrayValue?: { values: Value[] };
}
type Pairs = { key: string; value: Value }[];
interface Sent {
  resourceSpans: {
    resource: { attributes: Pairs };
    scopeSpans: {
      spans: (Pick<ReceivedSpan, 'name' | 'traceId' | 'spanId'> & {
        parentSpanId?: string;
        attributes?: Pairs;
        status?: { code?: number };
      })[];
    }[];
  }[];
}

/** A receiver of traces, over OTLP/HTTP. */
export interface Receiver {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  url: string;
  /** Of what came as JSON. */
  spans(): ReceivedSpan[];
  /** Everything that came, as text, and how it was declared. */
  bodies(): { path: string; type: string; text: string }[];
  stop(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const received: { path: string; type: string; text: string }[] = [];
  const server = await listen(async (request, response) => {
    const text = (await bodyOf(request)).toString('utf8');
    const type = request.headers['content-type'] ?? '';
    received.push({ path: request.url ?? '', type, text });
    response.writeHead(200, { 'content-type': type }).end(type.includes('json') ? '{}' : undefined);
  });
  return {
    url: server.url,
    spans: () =>
      received
        .filter(({ type }) => type.startsWith('application/json'))
        .flatMap(({ text }) => spansIn(JSON.parse(text) as Sent)),
    bodies: () => received,
    stop: server.stop,
  };
}

function spansIn({ resourceSpans }: Sent): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ status, attributes, parentSpanId, ...span }) => ({
        ...span,
        parentSpanId: parentSpanId ?? '',
        service: String(asRecord(resource.attributes)['service.name']),
        attributes: asRecord(attributes ?? []),
        failed: status?.code === 2,
      })),
    ),
  );
}

function asRecord(pairs: Pairs): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, valueOf(value)]));
}

function valueOf({ arrayValue, intValue, ...other }: Value): unknown {
  if (arrayValue) return arrayValue.values.map(valueOf);
  return intValue === undefined ? Object.values(other)[0] : Number(intValue);
}

/** A server before another one, which keeps the headers of what passes. */
export interface Relay {
  url: string;
  passed(): { path: string; headers: IncomingMessage['headers'] }[];
  stop(): Promise<void>;
}

/** @param to scheme, host and port of the other one */
export async function startRelay(to: string): Promise<Relay> {
  const passed: { path: string; headers: IncomingMessage['headers'] }[] = [];
  const server = await listen(async (request, response) => {
    const { url = '', method = 'GET', headers } = request;
    passed.push({ path: url, headers });
    const body = await bodyOf(request);
    const { host: _host, connection: _connection, 'content-length': _length, ...kept } = headers;
    const answer = await fetch(new URL(url, to), {
      method,
      headers: kept as Record<string, string>,
      ...(body.length > 0 ? { body: new Uint8Array(body) } : {}),
    });
    const type = answer.headers.get('content-type') ?? 'text/plain';
    response
      .writeHead(answer.status, { 'content-type': type })
      .end(Buffer.from(await answer.arrayBuffer()));
  });
  return { url: server.url, passed: () => passed, stop: server.stop };
}

async function listen(
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<{ url: string; stop(): Promise<void> }> {
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
