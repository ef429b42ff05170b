import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { start as startShop } from '../../../../../examples/shop/server.ts';
import { startScriptedModel } from '../../../dev/scripted-model/server.ts';
import { spawnNode, waitUntil, type Spawned } from '../../../dev/test/processes.ts';
import { PROJECT_ROOT } from '../../../dev/paths.ts';
import { createTestDatabase } from '../../../../../test/support/database.ts';
import { eventually } from '../../../../../test/support/eventually.ts';
import { createTestNamespace } from '../../../../../test/support/namespace.ts';
import { connectTestClient, temporalAddress } from '../../../../../test/support/servers.ts';
import { startReceiver, startRelay, type ReceivedSpan, type Receiver } from '../receiver.ts';

const BIN = path.join(PROJECT_ROOT, 'bin/agent-once.js');
/** Nothing of it may be in a span. */
const INPUT = 'Refund 25.00 EUR of order 1042, note it on the order, and tell the customer.';

let receiver: Receiver;
let model: Awaited<ReturnType<typeof startRelay>>;
let shop: Awaited<ReturnType<typeof startRelay>>;
let namespace: string;
let env: Record<string, string>;
let worker: Spawned;
let service: Spawned;
let http: string;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const [database, name, scripted] = await Promise.all([
    createTestDatabase(),
    createTestNamespace(),
    startScriptedModel(),
  ]);
  closing.push(
    () => database.drop(),
    () => scripted.stop(),
  );
  const store = await startShop({ port: 0, databaseUrl: database.url });
  closing.push(() => store.stop());
  receiver = await startReceiver();
  model = await startRelay(new URL(scripted.url).origin);
  shop = await startRelay(store.url);
  closing.push(
    () => receiver.stop(),
    () => model.stop(),
    () => shop.stop(),
  );
  namespace = name;
  env = {
    PATH: process.env['PATH'] ?? '',
    TEMPORAL_ADDRESS: temporalAddress(),
    TEMPORAL_NAMESPACE: namespace,
    LEDGER_URL: database.url,
    OPENAI_BASE_URL: `${model.url}/v1`,
    SHOP_URL: shop.url,
    AGENT_ONCE_CLEANUP: 'off',
    AGENT_ONCE_DRAIN: 'off',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_BSP_SCHEDULE_DELAY: '100',
  };
  worker = spawnNode([BIN, 'worker'], env);
  service = spawnNode([BIN, 'serve', '--open', '--port', '0'], env);
  closing.push(
    () => ended(service),
    () => ended(worker),
  );
  const ready = /The service is ready: (http:\S+\d)/;
  await waitUntil('worker and service are ready', () => {
    return /Worker \d+ is ready/.test(worker.stderr()) && ready.test(service.stderr());
  });
  http = ready.exec(service.stderr())?.[1] ?? '';
});
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
});

function ended(process: Spawned): Promise<number | null> {
  process.process.kill('SIGTERM');
  return process.ended;
}

/** A trace of somebody's own, of whom nothing but this is known. */
function callersTrace() {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-01` };
}

interface Run {
  id: string;
  runId: string;
  status: string;
}

async function runOverHttp(key: string, traceparent: string): Promise<Run> {
  const answer = await fetch(`${http}/v1/agents/support/runs`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'idempotency-key': key,
      prefer: 'wait=50',
      traceparent,
    },
    body: JSON.stringify({ input: INPUT }),
  });
  expect(answer.status).toBe(200);
  return (await answer.json()) as Run;
}

/** The spans of a trace, when there are as many by these names; a missing one is told by name. */
function spansOf(traceId: string, ...names: string[]): Promise<ReceivedSpan[]> {
  return eventually(() => {
    const spans = receiver.spans().filter((span) => span.traceId === traceId);
    expect(spans.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
    return spans;
  });
}

const named = (spans: ReceivedSpan[], name: string) => spans.filter((span) => span.name === name);

describe("a run that is started over HTTP with the caller's traceparent", () => {
  const { traceId, spanId, traceparent } = callersTrace();
  const key = 'traced-secret-key';
  let run: Run;
  let spans: ReceivedSpan[];
  beforeAll(async () => {
    run = await runOverHttp(key, traceparent);
    spans = await spansOf(traceId, 'invoke_agent support', 'POST /v1/agents/:agent/runs');
  });
  const one = (name: string): ReceivedSpan => {
    const found = named(spans, name);
    expect(found.map((span) => span.name)).toEqual([name]);
    return found[0] as ReceivedSpan;
  };

  test('is one trace, with right parents, over the service and the worker', () => {
    expect(run.status).toBe('completed');
    const request = one('POST /v1/agents/:agent/runs');
    const start = one('StartWorkflow:agentRun');
    const whole = one('invoke_agent support');
    expect(request).toMatchObject({ parentSpanId: spanId, service: 'agent-once-service' });
    expect(start).toMatchObject({ parentSpanId: request.spanId, service: 'agent-once-service' });
    expect(whole).toMatchObject({ parentSpanId: start.spanId, service: 'agent-once-worker' });
    const steps = spans.filter(({ name }) => name.startsWith('RunActivity:'));
    expect(steps.length).toBeGreaterThanOrEqual(6);
    for (const step of steps) {
      expect(step).toMatchObject({ parentSpanId: whole.spanId, service: 'agent-once-worker' });
    }
    const ids = new Set(spans.map((span) => span.spanId));
    expect(ids.size).toBe(spans.length);
    for (const span of spans) if (span !== request) expect(ids).toContain(span.parentSpanId);
  });

  test('tells of each step what it was and how it ended', () => {
    const refund = one('RunActivity:tool.issue_refund');
    expect(refund.attributes).toMatchObject({
      'gen_ai.agent.name': 'support',
      'agent_once.tenant': 'default',
      'agent_once.run_id': run.runId,
      'agent_once.turn': expect.any(Number),
      'agent_once.step': expect.stringMatching(/^t\d+\.c0$/),
      'agent_once.effect': 'keyed',
      'agent_once.lane': 'standard',
      'agent_once.attempt': 1,
      'agent_once.executed_attempts': 1,
      'agent_once.ended': 'executed',
    });
    const tool = one('execute_tool issue_refund');
    expect(tool.parentSpanId).toBe(refund.spanId);
    expect(tool.attributes).toMatchObject({
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'issue_refund',
      'gen_ai.tool.type': 'function',
      'gen_ai.tool.call.id': refund.attributes['agent_once.step'],
    });
    expect(one('invoke_agent support').attributes).toMatchObject({
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.name': 'support',
      'agent_once.ended': 'completed',
    });
  });

  test("tells of each model call what OpenTelemetry's conventions ask for", () => {
    const calls = spans.filter(({ name }) => name.startsWith('chat '));
    const asked = named(spans, 'RunActivity:callModel');
    expect(calls).toHaveLength(asked.length);
    for (const call of calls) {
      expect(asked.map((span) => span.spanId)).toContain(call.parentSpanId);
      expect(call.attributes).toMatchObject({
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'openai',
        'gen_ai.agent.name': 'support',
        'gen_ai.request.model': call.name.slice('chat '.length),
        'gen_ai.response.model': expect.any(String),
        'gen_ai.response.finish_reasons': [expect.stringMatching(/^(stop|tool_calls)$/)],
        'gen_ai.usage.input_tokens': expect.any(Number),
        'gen_ai.usage.output_tokens': expect.any(Number),
        'server.address': '127.0.0.1',
      });
    }
  });

  test('sends the trace on with each request to the model and to the shop', () => {
    const sent = ({ headers }: { headers: Record<string, unknown> }) =>
      String(headers['traceparent']).split('-');
    const calls = spans.filter(({ name }) => name.startsWith('chat '));
    const toModel = model
      .passed()
      .map(sent)
      .filter(([, trace]) => trace === traceId);
    expect(new Set(toModel.map(([, , parent]) => parent))).toEqual(
      new Set(calls.map((call) => call.spanId)),
    );
    const toShop = shop
      .passed()
      .map(sent)
      .filter(([, trace]) => trace === traceId);
    expect(toShop.map(([, , parent]) => parent)).toContain(one('execute_tool issue_refund').spanId);
  });

  test('shows no prompt, argument, result, key or token in any span', () => {
    const all = receiver
      .bodies()
      .map(({ text }) => text)
      .join('\n');
    expect(all).toContain(run.runId);
    const secrets = [key, run.id, 'Refund 25', 'order 1042', 'alan@', 'Turing', `${run.runId}:`];
    expect(secrets.filter((secret) => all.includes(secret))).toEqual([]);
  });

  test('marks the steps that a reset finds in the ledger, and asks no model in them', async () => {
    const { client, close } = await connectTestClient(namespace);
    try {
      const { events } = await client.workflow.getHandle(run.id).fetchHistory();
      const first = events?.find((event) => event.workflowTaskCompletedEventAttributes);
      const { runId } = await client.workflowService.resetWorkflowExecution({
        namespace,
        workflowExecution: { workflowId: run.id, runId: run.runId },
        workflowTaskFinishEventId: first?.eventId ?? null,
        requestId: crypto.randomUUID(),
        reason: 'test',
      });
      const again = await eventually(() => {
        const found = receiver
          .spans()
          .filter((span) => span.attributes['agent_once.run_id'] === runId);
        expect(named(found, 'invoke_agent support')).toHaveLength(1);
        return found;
      });
      const steps = again.filter(({ name }) => name.startsWith('RunActivity:'));
      expect(steps.length).toBeGreaterThanOrEqual(6);
      for (const { attributes, ...span } of steps) {
        expect(span.traceId).toBe(traceId);
        expect(attributes['agent_once.ended']).toBe('ledger');
      }
      const parents = new Set(steps.map((step) => step.spanId));
      expect(receiver.spans().filter((span) => parents.has(span.parentSpanId))).toEqual([]);
    } finally {
      await close();
    }
  });
});

test('the same request in another trace is the same request', async () => {
  const { traceId, traceparent } = callersTrace();
  const before = model.passed().length;
  expect(await runOverHttp('traced-secret-key', traceparent)).toMatchObject({
    status: 'completed',
  });
  expect(model.passed()).toHaveLength(before);
  const spans = await spansOf(traceId, 'POST /v1/agents/:agent/runs');
  expect(spans.map(({ name }) => name)).not.toContain('invoke_agent support');
});

test('a retry is the span of a second attempt, in the trace of the first', async () => {
  await fetch(`${shop.url}/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ faults: [{ kind: 'status', status: 503, endpoint: 'refunds' }] }),
  });
  const { traceId, traceparent } = callersTrace();
  expect(await runOverHttp('retried', traceparent)).toMatchObject({ status: 'completed' });
  const spans = await spansOf(traceId, 'invoke_agent support');
  const attempts = named(spans, 'RunActivity:tool.issue_refund');
  const told = attempts.map(({ failed, attributes }) => [
    failed,
    attributes['agent_once.attempt'],
    attributes['agent_once.ended'],
    attributes['error.type'],
  ]);
  expect(told).toEqual([
    [true, 1, 'failed', 'tool.failed'],
    [false, 2, 'executed', undefined],
  ]);
  expect(named(spans, 'execute_tool issue_refund').map((span) => span.parentSpanId)).toEqual(
    attempts.map((span) => span.spanId),
  );
  const sent = shop
    .passed()
    .filter(
      ({ path: to, headers }) => to === '/refunds' && headers['traceparent']?.includes(traceId),
    );
  expect(new Set(sent.map(({ headers }) => headers['traceparent'])).size).toBe(2);
  expect(new Set(sent.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
});

test('a command goes on with the trace of TRACEPARENT, and has sent its spans when it ends', async () => {
  const { traceId, spanId, traceparent } = callersTrace();
  const args = ['start', 'support', '--key', 'by-command', '--input', INPUT, '--wait'];
  const command = spawnNode([BIN, ...args], { ...env, TRACEPARENT: traceparent });
  expect(await command.ended).toBe(0);
  const own = receiver.spans().filter((span) => span.traceId === traceId);
  const [whole] = named(own, 'agent-once start');
  const [start] = named(own, 'StartWorkflow:agentRun');
  expect(whole).toMatchObject({ parentSpanId: spanId, service: 'agent-once-cli' });
  expect(start).toMatchObject({ parentSpanId: whole?.spanId });
  const [run] = named(await spansOf(traceId, 'invoke_agent support'), 'invoke_agent support');
  expect(run).toMatchObject({ parentSpanId: start?.spanId });
});

test('a command that fails has sent its spans too', async () => {
  const { traceId, traceparent } = callersTrace();
  const args = ['status', 'support', 'no-such-key'];
  const command = spawnNode([BIN, ...args], { ...env, TRACEPARENT: traceparent });
  expect(await command.ended).toBe(5);
  const own = receiver.spans().filter((span) => span.traceId === traceId);
  expect(own).toMatchObject([
    { name: 'agent-once status', attributes: { 'process.exit.code': 5 } },
  ]);
});

test('a run that nobody traced at its start is one trace of its own', async () => {
  const args = ['start', 'support', '--key', 'untraced', '--input', INPUT, '--wait', '--json'];
  const command = spawnNode([BIN, ...args], { ...env, OTEL_SDK_DISABLED: 'true' });
  expect(await command.ended).toBe(0);
  const { runId } = JSON.parse(command.stdout()) as Run;
  const spans = await spansOf(runId.replaceAll('-', ''), 'invoke_agent support');
  const [whole] = named(spans, 'invoke_agent support');
  expect(whole?.parentSpanId).toBe('');
  const steps = spans.filter(({ name }) => name.startsWith('RunActivity:'));
  expect(steps.length).toBeGreaterThanOrEqual(6);
  for (const step of steps) expect(step.parentSpanId).toBe(whole?.spanId);
});

test('without a protocol, spans go as protobuf', async () => {
  const { OTEL_EXPORTER_OTLP_PROTOCOL: _json, ...others } = env;
  const command = spawnNode([BIN, 'status', 'support', 'by-command'], others);
  expect(await command.ended).toBe(0);
  expect(receiver.bodies()).toContainEqual({
    path: '/v1/traces',
    type: 'application/x-protobuf',
    text: expect.stringContaining('agent-once status'),
  });
});

test('a receiver that has gone breaks nothing: runs end, and so do worker, service and command', async () => {
  await receiver.stop();
  expect(await runOverHttp('unheard', callersTrace().traceparent)).toMatchObject({
    status: 'completed',
  });
  const command = spawnNode([BIN, 'result', 'support', 'unheard'], env);
  expect(await command.ended).toBe(0);
  expect(command.stderr()).toMatch(/^completed in [^\n]*\n$/);
  expect(await ended(service)).toBe(0);
  expect(await ended(worker)).toBe(0);
});
