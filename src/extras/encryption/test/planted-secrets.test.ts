import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RunView } from '../../../client/types.ts';
import { findFreePort } from '../../dev/ports.ts';
import { runCommand, startCli } from '../../../../test/support/cli.ts';
import { eventually } from '../../../../test/support/eventually.ts';
import { hasExtra } from '../../../../test/support/extras.ts';
import {
  calls,
  script,
  startTestSystem,
  type TestSystem,
} from '../../../../test/support/system.ts';
import { untilEnd } from '../../../../test/support/until-end.ts';
import { keyOf, withKeys } from './keys-of-tests.ts';
import { find, readEverything, type Named } from './search-everything.ts';

const SECRETS = [
  'planted-input',
  'planted-argument',
  'planted-result',
  'planted-question',
  'planted-comment',
  // What the tool throws.
  'after the effect',
  'planted-model-error',
  'planted-answer',
];
/** Of a run that fails by it: Temporal tells it as the run's failure. */
const FAILURE = 'planted-failure';
const KEYS = withKeys(keyOf('2026-11'));
/** Sent to the model's endpoint with each request, and kept nowhere with or without keys. */
const HEADER = 'planted-header';
const LONG = 'a long text '.repeat(500);

let system: TestSystem;

beforeAll(async () => {
  // This process is a client too.
  Object.assign(process.env, KEYS);
  system = await startTestSystem();
});
afterAll(async () => {
  delete process.env['AGENT_ONCE_ENCRYPTION_KEYS'];
  await system.close();
});

interface WatchedWorker {
  output(): string;
  /** What it tells of itself elsewhere, by where. */
  told(): Promise<Named>;
  stop(): Promise<void>;
}

/** `agent-once worker`, with a receiver of its traces and a port for its metrics. */
async function startWatchedWorker(env: Record<string, string>): Promise<WatchedWorker> {
  const traces: string[] = [];
  const receiver = createServer((request, response) => {
    request.on('data', (chunk) => traces.push(String(chunk))).on('end', () => response.end('{}'));
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const { port } = receiver.address() as AddressInfo;
  const metricsPort = await findFreePort();
  const worker = startCli(['worker'], {
    ...system.env,
    TEST_AGENTS: 'of workers',
    AGENT_ONCE_METRICS_PORT: String(metricsPort),
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_BSP_SCHEDULE_DELAY: '100',
    ...env,
  });
  await eventually(() => expect(worker.stderr()).toMatch(/Worker \d+ is ready/));
  return {
    output: worker.stderr,
    async told() {
      if (hasExtra('traces')) {
        await eventually(() => expect(traces.join('')).toContain('invoke_agent'));
      }
      if (!hasExtra('metrics')) return { traces: traces.join('') };
      const metrics = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
      const text = await metrics.text();
      expect(text).toContain('agent_once_');
      return { traces: traces.join(''), metrics: text };
    },
    async stop() {
      worker.child.kill('SIGTERM');
      await worker.ended;
      receiver.closeAllConnections();
      receiver.close();
    },
  };
}

/** Everything that a run leaves behind which carries each of the secrets. */
async function plant(key: string, worker: WatchedWorker): Promise<{ named: Named; views: string }> {
  const run = { agent: 'tester', key };
  const { workflowId } = await system.client.start({
    ...run,
    input: script(
      {
        say: `planted-input ${LONG}`,
        ...(calls(['look', { label: `planted-argument-${key}` }]) as object),
      },
      calls(['recall', { label: 'planted-result' }]),
      calls(['note', { label: `throws ${key}` }]),
      calls(['spend', { label: 'planted-question', amount: 100 }]),
      { say: 'planted-answer' },
    ),
  });
  const waiting = await eventually(async () => {
    const view = await system.client.describe(run);
    if (view.status === 'running') throw new Error('The run does not wait.');
    return view;
  });
  expect(waiting).toMatchObject({ status: 'waiting', error: null });
  const whileItWaits = await readEverything(system, workflowId);
  const { step = '', round } = waiting.waiting?.[0] ?? {};
  await system.client.decide(run, {
    step,
    ...(round === undefined ? {} : { round }),
    decision: 'approve',
    by: 'somebody',
    comment: 'planted-comment',
  });
  const ended = await untilEnd(system.client, run);
  expect(ended).toMatchObject({ status: 'completed', result: 'planted-answer' });
  const named = await readEverything(system, workflowId);
  return {
    named: {
      ...withPrefix('waiting: ', whileItWaits),
      ...named,
      ...(await worker.told()),
      log: worker.output(),
    },
    views: JSON.stringify([waiting, ended]),
  };
}

function withPrefix(prefix: string, named: Named): Named {
  return Object.fromEntries(Object.entries(named).map(([name, text]) => [prefix + name, text]));
}

/** The next request with this text in it is refused once. */
async function refuse(match: string, status: number, message: string): Promise<void> {
  const body = { error: { message } };
  const response = await fetch(new URL('/faults', system.model.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ faults: [{ kind: 'status', status, body }], match }),
  });
  expect(response.ok).toBe(true);
}

async function fail(key: string): Promise<RunView> {
  const run = { agent: 'tester', key };
  await refuse(`this fails ${key}`, 400, FAILURE);
  await system.client.start({ ...run, input: `this fails ${key}` });
  return untilEnd(system.client, run);
}

test('with keys no planted secret is in Temporal, the ledger, a log, a metric or a trace', async () => {
  const worker = await startWatchedWorker({
    ...KEYS,
    OPENAI_CUSTOM_HEADERS: `X-Team: ${HEADER}`,
  });
  try {
    await refuse('planted-argument-sealed', 503, 'planted-model-error');
    const { named, views } = await plant('sealed', worker);
    const all = [...SECRETS, HEADER];
    expect(find(all, named)).toEqual(Object.fromEntries(all.map((each) => [each, []])));
    // The client was told all the same.
    expect(views).toContain('planted-question');

    const failed = await fail('sealed-failing');
    expect(failed).toMatchObject({
      status: 'failed',
      error: { message: expect.stringContaining(FAILURE) },
    });
    const left = await readEverything(system, failed.workflowId);
    expect(find([FAILURE], { ...left, log: worker.output() })).toEqual({ [FAILURE]: [] });
  } finally {
    await worker.stop();
  }
});

test('commands with the keys show what is encrypted, and resume and cancel runs', async () => {
  const worker = await system.startWorker(KEYS);
  const told = async (...args: string[]): Promise<string> => {
    const { stdout, stderr, code } = await runCommand(args, {
      ...system.env,
      TEST_AGENTS: 'of workers',
    });
    return `${code} ${stdout}${stderr}`;
  };
  try {
    await fail('told');
    for (const command of ['status', 'result', ...(hasExtra('explain') ? ['explain'] : [])]) {
      expect(await told(command, 'tester', 'told')).toContain(FAILURE);
    }
    // Its input is in its history alone.
    expect(await told('resume', 'tester', 'told', '--wait')).toMatch(/^0 /);

    const run = { agent: 'tester', key: 'cancelled' };
    const asks = calls(['spend', { label: 'planted-question', amount: 100 }]);
    await system.client.start({ ...run, input: script(asks) });
    await eventually(async () =>
      expect(await told('status', 'tester', 'cancelled')).toContain('planted-question'),
    );
    expect(await told('list', '--json')).toContain('planted-question');
    expect(await told('cancel', 'tester', 'cancelled')).toMatch(/^0 /);
    expect(await untilEnd(system.client, run)).toMatchObject({ status: 'cancelled' });
  } finally {
    await worker.stop();
  }
});

test('without keys the same search finds each of them', async () => {
  const saved = process.env['AGENT_ONCE_ENCRYPTION_KEYS'];
  delete process.env['AGENT_ONCE_ENCRYPTION_KEYS'];
  const plain = await startTestSystem();
  const sealed = system;
  system = plain;
  const worker = await startWatchedWorker({});
  try {
    await refuse('planted-argument-plain', 503, 'planted-model-error');
    const found = find(SECRETS, (await plant('plain', worker)).named);
    for (const secret of SECRETS) {
      expect({ secret, places: found[secret] }).toEqual({
        secret,
        places: expect.arrayContaining(['ledger']),
      });
    }
    expect(found['planted-question']).toEqual(
      expect.arrayContaining(['history', 'waiting: description', 'waiting: list']),
    );
    const failed = await fail('plain-failing');
    const left = await readEverything(plain, failed.workflowId);
    expect(find([FAILURE], left)).toEqual({ [FAILURE]: ['history', 'ledger'] });
  } finally {
    await worker.stop();
    system = sealed;
    process.env['AGENT_ONCE_ENCRYPTION_KEYS'] = saved;
    await plain.close();
  }
});
