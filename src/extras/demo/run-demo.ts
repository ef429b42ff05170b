import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { openClient } from '../../client/open-client.ts';
import type { StartRequest } from '../../client/types.ts';
import { usesScriptedModel, type Config } from '../../config.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import { startChild, type Child } from '../dev/child-process.ts';
import type { BesidePart } from '../dev/beside.ts';
import { PROJECT_ROOT } from '../dev/paths.ts';
import { stackEnvironment } from '../dev/stack-environment.ts';
import { startStack, type Stack } from '../dev/stack.ts';
import { comparePlain } from './compare.ts';
import {
  findEffects,
  findModelCalls,
  findRepeats,
  findStarts,
  readModelRequests,
  readShop,
  readTemporal,
} from './readings.ts';
import { exactly, type Finding } from './report.ts';
import { startAtOnce } from './starters.ts';

export interface DemoOptions {
  /** The shop, which counts the effects. */
  beside: readonly BesidePart[];
  compare: boolean;
  /** Called with each step of the story as it happens. */
  tell: (line: string) => void;
  /** Called when all is read and before anything is stopped; the stack is up as long as it waits. */
  done: (outcome: DemoOutcome) => Promise<void>;
}

export interface DemoOutcome {
  findings: Finding[];
  /** What a plain Temporal workflow did, if asked for. */
  compared: Finding[];
  /** What each of the starts was told. */
  duplicates: { started: number; attached: number; failed: string[] };
  replay: { replayed: boolean; status: string; result: unknown };
  conflict: string;
  workflowUrl: string;
  stack: Stack;
}

const STARTS = { processes: 4, times: 5 };
const KEY = 'req-001';
const REQUEST: StartRequest = {
  agent: 'support',
  key: KEY,
  input: 'Refund 25.00 EUR of order 1042, note it on the order, and tell the customer.',
};

/** The main job on real parts, with a worker that is killed at the worst moment. */
export async function runDemo(config: Config, options: DemoOptions): Promise<void> {
  const { tell } = options;
  const scripted = usesScriptedModel(config);
  tell(
    scripted
      ? 'No OPENAI_API_KEY and no OPENAI_BASE_URL: a SCRIPTED MODEL answers, no language model.'
      : 'The model of OPENAI_BASE_URL and OPENAI_API_KEY answers; its calls are paid for.',
  );
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'agent-once-demo-'));
  const stack = await startStack({
    dataDir,
    ports: { temporal: 0, ui: 0, postgres: 0, model: 0 },
    beside: options.beside.map((part) => ({ ...part, port: 0 })),
    scriptedModel: scripted,
    durable: false,
    log: tell,
  });
  try {
    tell(`Temporal ${stack.temporal}, its UI ${stack.ui}, PostgreSQL, model and shop are up.`);
    await play(config, stack, options);
  } finally {
    await stack.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function play(
  config: Config,
  stack: Stack,
  { compare, tell, done }: DemoOptions,
): Promise<void> {
  const shop = stack.beside.find(({ name }) => name === 'shop')?.url ?? '';
  const env = stackEnvironment(stack);
  Object.assign(process.env, { TEMPORAL_ADDRESS: stack.temporal, TEMPORAL_NAMESPACE: 'default' });
  const client = await openClient(config);
  const { temporal } = client.context;
  const workers: Child[] = [];
  try {
    workers.push(await startWorker({ ...env, AGENT_ONCE_FAULT: 'after-effect:issue_refund' }));
    tell(
      'A worker runs, that will be killed when the shop has booked and nothing is recorded yet.',
    );

    const total = STARTS.processes * STARTS.times;
    tell(
      `${total} starts of one request under the key ${KEY}, at once, from ${STARTS.processes} processes …`,
    );
    const answers = await startAtOnce(REQUEST, STARTS, env);
    const { signal } = await (workers[0] as Child).exited;
    const atDeath = await readShop(shop);
    tell(`The worker is dead (${signal}); the shop has booked ${atDeath.refunds} refund.`);

    workers.push(await startWorker(env));
    tell('Another worker takes over …');
    const ended = await client.result({ agent: 'support', key: KEY }, { timeoutMs: 45_000 });
    tell(`The run is ${ended.status}: ${JSON.stringify(ended.result ?? ended.error)}`);

    const before = await readModelRequests(stack.model);
    const replay = await client.start(REQUEST);
    tell('The same request under the same key gets the stored result.');
    const conflict = await client
      .start({ ...REQUEST, input: 'Refund 99.00 EUR of order 1042.' })
      .then(
        () => 'accepted',
        (error: unknown) => (error instanceof AgentOnceError ? error.code : String(error)),
      );
    tell('Another request under the same key is refused.');

    const [counters, modelRequests, history] = await Promise.all([
      readShop(shop),
      readModelRequests(stack.model),
      readTemporal(temporal, ended.workflowId),
    ]);
    const answered = answers.flatMap((answer) => ('runId' in answer ? [answer] : []));
    const { executions } = history;
    const findings: Finding[] = [
      ...findStarts({ sent: answers.length, answered, executions }, total),
      exactly(
        'workers killed after the refund was booked',
        'the system',
        signal === 'SIGKILL' ? 1 : 0,
        1,
      ),
      ...findEffects(counters, history),
      ...(modelRequests === undefined ? [] : findModelCalls(modelRequests, before, history)),
      exactly('the run', 'Temporal', ended.status, 'completed'),
      ...findRepeats(replay.replayed, conflict),
    ];
    let compared: Finding[] = [];
    if (compare) {
      tell('A plain Temporal workflow, without keys and tokens, goes through the same kill …');
      compared = await comparePlain(shop, env);
    }
    await done({
      findings,
      compared,
      duplicates: {
        started: answered.filter(({ replayed }) => !replayed).length,
        attached: answered.filter(({ replayed }) => replayed).length,
        failed: answers.flatMap((answer) => ('error' in answer ? [answer.error] : [])),
      },
      replay: { replayed: replay.replayed, status: replay.status, result: replay.result },
      conflict,
      workflowUrl: `${stack.ui}/namespaces/default/workflows/${encodeURIComponent(ended.workflowId)}`,
      stack,
    });
  } finally {
    await client.close();
    await Promise.all(workers.map((worker) => worker.stop()));
  }
}

/** A worker that nobody starts again when it dies. Resolves when it works. */
async function startWorker(env: NodeJS.ProcessEnv): Promise<Child> {
  let ready = (): void => undefined;
  const isReady = new Promise<void>((resolve) => (ready = resolve));
  const child = await startChild({
    part: 'The worker',
    command: process.execPath,
    args: [path.join(PROJECT_ROOT, 'bin/agent-once.js'), 'worker'],
    env: { AGENT_ONCE_LOG_LEVEL: 'error', ...env, AGENT_ONCE_LOG_FORMAT: 'text' },
    onLine: (line) => {
      if (/^Worker \d+ is ready/.test(line)) ready();
    },
  });
  await Promise.race([
    isReady,
    child.exited.then(() => {
      throw new AgentOnceError('part.failed', `The worker did not start:\n${child.lastLines()}`);
    }),
  ]);
  return child;
}
