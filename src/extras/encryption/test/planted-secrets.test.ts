import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RunView } from '../../../client/types.ts';
import type { JsonObject, JsonValue } from '../../../contract/json-value.ts';
import { runCommand } from '../../../../test/support/cli.ts';
import { eventually } from '../../../../test/support/eventually.ts';
import { hasExtra } from '../../../../test/support/extras.ts';
import { find, type Named } from '../../../../test/support/search-text.ts';
import {
  calls,
  script,
  startTestSystem,
  type TestSystem,
} from '../../../../test/support/system.ts';
import { untilEnd } from '../../../../test/support/until-end.ts';
import { keyOf, withKeys } from './keys-of-tests.ts';
import { readEverything } from './search-everything.ts';
import { startWatched } from './watched-process.ts';

const KEYS = withKeys(keyOf('2026-11'));
/** The text of the key that encrypts, without the signs that only pad it. */
const [KEY = ''] = keyOf('2026-11').replace('2026-11:', '').split('=');
const SECRETS = [
  'planted-input',
  'planted-argument',
  'planted-result',
  'planted-question',
  'planted-comment',
  // What a person wrote in the place of an argument.
  'planted-edit',
  // What the tool throws.
  'after the effect',
  'planted-model-error',
  'planted-answer',
  // Of a run that fails by it: Temporal tells it as the run's failure.
  'planted-failure',
  // As if a person had pasted it.
  KEY,
];
/** Sent to the model's endpoint with each request, and kept nowhere with or without keys. */
const HEADER = 'planted-header';
const LONG = 'a long text '.repeat(500);
const AGENT = 'tester';
/** Has a call whose arguments people change. */
const EDITOR = 'editor';

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

const APPROVED = { decision: 'approve', by: 'somebody', comment: 'planted-comment' } as const;

interface RunRef {
  agent: string;
  key: string;
}

/** Starts runs and answers what they ask: through the HTTP service, where the app has it. */
interface Caller {
  start(run: RunRef, input: JsonValue): Promise<string>;
  approve(run: RunRef, waiting: RunView, edited?: JsonObject): Promise<void>;
  /** Looks at a run that has ended in every way that there is. */
  look(workflowId: string): Promise<void>;
}

function callByHttp(url: string): Caller {
  const ask = async (method: string, path: string, body?: JsonValue, more = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...more },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    expect({ path, ok: response.ok, text }).toMatchObject({ ok: true });
    return text;
  };
  return {
    async start({ agent, key }, input) {
      const header = { 'idempotency-key': `"${key}"` };
      const text = await ask('POST', `/v1/agents/${agent}/runs`, { input }, header);
      expect(text).toContain(`agent-${agent}-${key}`);
      return `agent-${agent}-${key}`;
    },
    async approve({ agent, key }, { waiting }, edited) {
      const path = `/v1/runs/agent-${agent}-${key}/steps/${waiting[0]?.step}/decision`;
      await ask('POST', path, { ...APPROVED, ...(edited && { arguments: edited }) });
    },
    async look(workflowId) {
      for (const page of ['', '/steps', '/events']) {
        await ask('GET', `/v1/runs/${workflowId}${page}`);
      }
      await ask('GET', `/v1/runs?agent=${AGENT}`);
    },
  };
}

function callByClient({ client }: TestSystem): Caller {
  return {
    async start(run, input) {
      return (await client.start({ ...run, input })).workflowId;
    },
    async approve(run, { waiting }, edited) {
      const { step = '', round } = waiting[0] ?? {};
      const asked = round === undefined ? { step } : { step, round };
      await client.decide(run, { ...asked, ...APPROVED, ...(edited && { arguments: edited }) });
    },
    look: async () => {},
  };
}

/** The next request to the model with this text in it is refused once. */
async function refuse(
  { model }: TestSystem,
  match: string,
  status: number,
  message: string,
): Promise<void> {
  const body = { error: { message } };
  const response = await fetch(new URL('/faults', model.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ faults: [{ kind: 'status', status, body }], match }),
  });
  expect(response.ok).toBe(true);
}

async function untilItWaits({ client }: TestSystem, run: RunRef): Promise<RunView> {
  return eventually(async () => {
    const view = await client.describe(run);
    if (view.status === 'running') throw new Error('The run does not wait.');
    return view;
  });
}

/** A run that carries each of the secrets, and what is left of it in Temporal and the ledger. */
async function completeRun(system: TestSystem, caller: Caller, key: string): Promise<Named> {
  const run = { agent: AGENT, key };
  await refuse(system, `planted-argument-${key}`, 503, 'planted-model-error');
  const workflowId = await caller.start(
    run,
    script(
      {
        say: `planted-input ${KEY} ${LONG}`,
        ...(calls(['look', { label: `planted-argument-${key}` }]) as object),
      },
      calls(['recall', { label: 'planted-result' }]),
      calls(['note', { label: `throws ${key}` }]),
      calls(['spend', { label: 'planted-question', amount: 100 }]),
      { say: 'planted-answer' },
    ),
  );
  const waiting = await untilItWaits(system, run);
  expect(waiting).toMatchObject({ status: 'waiting', error: null });
  // The client is told all the same.
  expect(JSON.stringify(waiting)).toContain('planted-question');
  const whileItWaits = Object.entries(await readEverything(system, workflowId));
  await caller.approve(run, waiting);
  const ended = await untilEnd(system.client, run);
  expect(ended).toMatchObject({ status: 'completed', result: 'planted-answer' });
  await caller.look(workflowId);
  return {
    ...Object.fromEntries(whileItWaits.map(([name, text]) => [`waiting: ${name}`, text])),
    ...(await readEverything(system, workflowId)),
  };
}

/** A run whose call a person changes. */
async function editRun(system: TestSystem, caller: Caller): Promise<Named> {
  const run = { agent: EDITOR, key: 'edited' };
  const input = script(calls(['pay', { label: 'as asked', amount: 100 }]), { say: 'paid' });
  const workflowId = await caller.start(run, input);
  await caller.approve(run, await untilItWaits(system, run), { label: 'planted-edit', amount: 1 });
  expect(await untilEnd(system.client, run)).toMatchObject({ status: 'completed' });
  expect(system.counter.effects('pay:planted-edit:1')).toBe(1);
  await caller.look(workflowId);
  const left = Object.entries(await readEverything(system, workflowId));
  return Object.fromEntries(left.map(([name, text]) => [`edited: ${name}`, text]));
}

/** A run whose model refuses it. */
async function failRun(system: TestSystem, caller: Caller, key: string): Promise<Named> {
  await refuse(system, `this fails ${key}`, 400, 'planted-failure');
  const run = { agent: AGENT, key };
  const workflowId = await caller.start(run, `this fails ${key}`);
  expect(await untilEnd(system.client, run)).toMatchObject({
    status: 'failed',
    error: { message: expect.stringContaining('planted-failure') },
  });
  await caller.look(workflowId);
  const left = Object.entries(await readEverything(system, workflowId));
  return Object.fromEntries(left.map(([name, text]) => [`failed: ${name}`, text]));
}

/** Where each secret is found when a worker and a service with these settings have had both runs. */
async function plantAndFind(
  system: TestSystem,
  keys: Record<string, string>,
): Promise<Record<string, string[]>> {
  const env = { ...system.env, ...keys, OPENAI_CUSTOM_HEADERS: `X-Team: ${HEADER}` };
  const worker = await startWatched('worker', ['worker'], env, {
    ready: /Worker \d+ is ready/,
    span: 'invoke_agent',
  });
  const service = hasExtra('service')
    ? await startWatched('service', ['serve', '--open', '--port', '0'], env, {
        ready: /The service is ready: (http:\/\/[\w.:]+)/,
        span: 'StartWorkflow',
      })
    : undefined;
  const caller = service ? callByHttp(service.ready[1] ?? '') : callByClient(system);
  const named: Named = {};
  try {
    Object.assign(named, await completeRun(system, caller, 'complete'));
    Object.assign(named, await editRun(system, caller));
    Object.assign(named, await failRun(system, caller, 'failing'));
  } finally {
    Object.assign(named, await worker.end(), await service?.end());
  }
  const scope = await system.scopeOf(`agent-${AGENT}-complete`);
  const received = JSON.stringify(await system.receivedBy(`${scope}:t1.model`));
  return {
    ...find(SECRETS, named),
    ...find([HEADER], { ...named, 'what the model received': received }),
  };
}

test('with keys no planted secret is in Temporal, the ledger, a log, a metric or a trace', async () => {
  expect(await plantAndFind(system, KEYS)).toEqual({
    ...Object.fromEntries(SECRETS.map((secret) => [secret, []])),
    [HEADER]: ['what the model received'],
  });
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
    await failRun(system, callByClient(system), 'told');
    for (const command of ['status', 'result', ...(hasExtra('explain') ? ['explain'] : [])]) {
      expect(await told(command, AGENT, 'told')).toContain('planted-failure');
    }
    // Its input is in its history alone.
    expect(await told('resume', AGENT, 'told', '--wait')).toMatch(/^0 /);

    const run = { agent: AGENT, key: 'cancelled' };
    const asks = calls(['spend', { label: 'planted-question', amount: 100 }]);
    await system.client.start({ ...run, input: script(asks) });
    await eventually(async () =>
      expect(await told('status', AGENT, 'cancelled')).toContain('planted-question'),
    );
    expect(await told('list', '--json')).toContain('planted-question');
    expect(await told('cancel', AGENT, 'cancelled')).toMatch(/^0 /);
    expect(await untilEnd(system.client, run)).toMatchObject({ status: 'cancelled' });
  } finally {
    await worker.stop();
  }
});

test('without keys the same search finds each of them', async () => {
  const saved = process.env['AGENT_ONCE_ENCRYPTION_KEYS'];
  delete process.env['AGENT_ONCE_ENCRYPTION_KEYS'];
  const plain = await startTestSystem();
  try {
    const { [HEADER]: header, ...found } = await plantAndFind(plain, {});
    expect(header).toEqual(['what the model received']);
    for (const secret of SECRETS) {
      const ledger = expect.stringMatching(/^((failed|edited): )?ledger$/);
      expect({ secret, places: found[secret] }).toEqual({
        secret,
        places: expect.arrayContaining([ledger]),
      });
    }
    expect(found['planted-question']).toEqual(
      expect.arrayContaining(['history', 'waiting: description', 'waiting: list']),
    );
    expect(found['planted-failure']).toEqual(
      expect.arrayContaining(['failed: history', 'failed: ledger', 'worker: log']),
    );
  } finally {
    process.env['AGENT_ONCE_ENCRYPTION_KEYS'] = saved;
    await plain.close();
  }
});
