import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startCli, type RunningCli } from '../../../../../test/support/cli.ts';
import { eventually } from '../../../../../test/support/eventually.ts';
import { hasExtra } from '../../../../../test/support/extras.ts';
import {
  calls,
  script,
  startTestSystem,
  type TestSystem,
} from '../../../../../test/support/system.ts';
import { untilEnd } from '../../../../../test/support/until-end.ts';
import { startReceiver, type Receiver } from '../receiver.ts';

type Line = Record<string, unknown>;

const suite = hasExtra('logs') && hasExtra('service') ? describe : describe.skip;

/** Its one step fails in each of its three attempts, and the run with it. */
const FAILS = script(calls(['flaky', { failures: 3 }]));

suite('lines of the log name the trace', () => {
  let system: TestSystem;
  let receiver: Receiver;
  let worker: RunningCli;
  let service: RunningCli;
  let served = '';
  let url: string;

  beforeAll(async () => {
    [system, receiver] = await Promise.all([startTestSystem(), startReceiver()]);
    const env = {
      ...system.env,
      TEST_AGENTS: 'of workers',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '100',
    };
    worker = startCli(['worker'], env);
    service = startCli(['serve', '--open', '--port', '0'], env);
    service.child.stdout?.on('data', (chunk) => (served += String(chunk)));
    url = await eventually(() => {
      expect(worker.stderr()).toMatch(/Worker \d+ is ready/);
      const [, found = ''] = /The service is ready: (http:\S+\d)/.exec(service.stderr()) ?? [];
      expect(found).not.toBe('');
      return found;
    });
  });
  afterAll(async () => {
    for (const command of [worker, service]) command?.child.kill('SIGTERM');
    await Promise.all([worker?.ended, service?.ended]);
    await receiver?.stop();
    await system?.close();
  });

  const linesIn = (text: string): Line[] =>
    text
      .split('\n')
      .slice(0, -1)
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line);
  const ofWorker = (runId: string): Promise<Line[]> =>
    eventually(() => {
      const lines = linesIn(worker.stderr()).filter(({ run }) => run === runId);
      expect(lines.map(({ msg }) => msg)).toContain('Workflow failed');
      return lines;
    });
  const ofRequest = (traceId: string): Promise<Line> =>
    eventually(() => {
      const [line] = linesIn(served).filter((each) => each['trace_id'] === traceId);
      if (!line) throw new Error(`No line of the trace: ${served}`);
      return line;
    });
  const spanOf = (traceId: string, name: string): Promise<string | undefined> =>
    eventually(() => {
      const found = receiver.spans().filter((span) => span.traceId === traceId);
      expect(found.map((span) => span.name)).toContain(name);
      return found.find((span) => span.name === name)?.spanId;
    });
  const post = async (body: string, traceId: string): Promise<Response> =>
    fetch(`${url}/v1/agents/tester/runs`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': crypto.randomUUID(),
        traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01`,
      },
      body,
    });

  test("a request's, its run's and its steps' have that of the caller's traceparent", async () => {
    const traceId = randomBytes(16).toString('hex');
    const begun = (await (await post(JSON.stringify({ input: FAILS }), traceId)).json()) as {
      runId: string;
    };
    const lines = await ofWorker(begun.runId);
    expect(lines.map(({ msg, trace_id }) => [msg, trace_id])).toEqual([
      ['An attempt of a step failed', traceId],
      ['An attempt of a step failed', traceId],
      ['A step failed', traceId],
      ['Workflow failed', traceId],
    ]);
    // Of the run's lines its own span, of each attempt's one of its own.
    expect(lines[3]?.['span_id']).toBe(await spanOf(traceId, 'invoke_agent tester'));
    const attempts = receiver
      .spans()
      .filter((span) => span.traceId === traceId && span.name === 'RunActivity:tool.flaky');
    expect(new Set(lines.slice(0, 3).map((line) => line['span_id']))).toEqual(
      new Set(attempts.map((span) => span.spanId)),
    );

    const line = await ofRequest(traceId);
    expect(line).toMatchObject({ msg: 'request completed', run: begun.runId });
    expect(line['span_id']).toBe(await spanOf(traceId, 'POST /v1/agents/:agent/runs'));
  });

  test('a request that is refused before it reaches its route has it too', async () => {
    const traceId = randomBytes(16).toString('hex');
    expect((await post('{ no JSON', traceId)).status).toBe(400);
    const line = await ofRequest(traceId);
    expect(line).toMatchObject({ msg: 'request completed', res: { statusCode: 400 } });
    expect(line['span_id']).toBe(await spanOf(traceId, 'POST /v1/agents/:agent/runs'));
  });

  test('those of a run whose starter traced nothing have its own', async () => {
    const run = await system.client.start({ agent: 'tester', key: 'untraced', input: FAILS });
    await untilEnd(system.client, run);
    const traceId = run.runId.replaceAll('-', '');
    for (const line of await ofWorker(run.runId)) expect(line['trace_id']).toBe(traceId);
  });
});
