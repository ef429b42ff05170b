import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { chaosAgent } from '../chaos/agents.ts';
import { readLedger, readModelRequests } from '../chaos/evidence.ts';
import { scenario } from '../chaos/own-scenario.ts';
import { prepareDatabase } from '../chaos/prepare-database.ts';
import { createRandom, type Random } from '../chaos/random.ts';
import { startChaosServers, type ChaosServers } from '../chaos/servers.ts';
import { startShop } from '../chaos/shop.ts';
import { startWorkers, type WorkerPool } from '../chaos/workers.ts';
import { createRegistry } from '../src/define/registry.ts';
import { AgentOnceClient } from '../src/client/agent-once-client.ts';
import { connect } from '../src/client/connect.ts';
import { DEFAULT_TENANT, workflowIdOf } from '../src/contract/key.ts';
import { FORGOTTEN } from '../src/contract/names.ts';
import { openLedger } from '../src/ledger/open-ledger.ts';
import { startChild, type Child } from '../src/extras/dev/child-process.ts';
import { PROJECT_ROOT } from '../src/extras/dev/paths.ts';
import type { Answer } from './answer.ts';
import { startClients, surfaceOf } from './clients.ts';
import { readFuzzedExecutions } from './evidence.ts';
import { judgeFuzz } from './judge.ts';
import { openKey } from './opening.ts';
import type { FuzzedKey } from './operations.ts';
import type { FuzzOptions } from './options.ts';
import { Person } from './person.ts';
import { countCalls, type FuzzReport } from './report.ts';
import { settle } from './settle.ts';

/** Keys that are also options, steps, paths and quoted strings to whoever does not take care. */
const KEYS = ['order-1042', '-y', 't1.c0', 'order 7/"x"', '--tenant=acme'];
const LISTED_WITHIN_MS = 30_000;
const LOADER = pathToFileURL(path.join(PROJECT_ROOT, 'bin/register-typescript.js')).href;

/**
 * Lets many processes do what they want with a few keys, on a system of its own, and looks for what
 * must never be.
 *
 * @param tell is called with what is being done
 * @param signal ends everything early; the promise rejects with its reason
 */
export async function runFuzz(
  options: FuzzOptions,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<FuzzReport> {
  const closes: (() => Promise<unknown>)[] = [];
  const opened = async <T>(part: Promise<T>, close: (part: T) => Promise<unknown>): Promise<T> => {
    const made = await part;
    closes.push(() => close(made));
    signal.throwIfAborted();
    return made;
  };
  const interrupted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  interrupted.catch(() => undefined);
  const fuzzing = fuzz(options, tell, opened);
  // Interrupted, it goes on failing while its servers are taken away.
  fuzzing.catch(() => undefined);
  try {
    return await Promise.race([fuzzing, interrupted]);
  } finally {
    for (let close = closes.pop(); close !== undefined; close = closes.pop()) {
      await close().catch(() => undefined);
    }
  }
}

type Opened = <T>(part: Promise<T>, close: (part: T) => Promise<unknown>) => Promise<T>;

async function fuzz(
  options: FuzzOptions,
  tell: (line: string) => void,
  opened: Opened,
): Promise<FuzzReport> {
  const began = Date.now();
  const { seed, seconds, processes, settle: settleSeconds } = options;
  const random = createRandom(seed);
  const keys = Array.from({ length: options.keys }, (_, index) => keyOf(index, random));
  const agent = chaosAgent.name;
  const registry = createRegistry([chaosAgent], { defaultModel: 'scripted' });
  const classes = Object.fromEntries(registry.tools().map(({ name, effect }) => [name, effect]));

  tell('Starting Temporal, PostgreSQL, the model, the shop, the service and workers …');
  const servers = await opened(startChaosServers(options.keep), (it) => it.stop());
  await prepareDatabase(servers.ledgerUrl, scenario);
  // Makes the ledger's tables: the service and the counting need them, also without a worker.
  await (await openLedger(servers.ledgerUrl)).close();
  const shop = await opened(startShop(scenario.effectOf, classes, createRandom(seed + 1)), (it) =>
    it.stop(),
  );
  const env = environmentOf(servers);
  Object.assign(process.env, env);
  const { temporal } = await opened(connect(), (it) => it.close());
  const client = new AgentOnceClient({ temporal, registry });
  const workers = await opened(
    startWorkers(servers, options.workers, { CHAOS_SHOP_URL: shop.url }),
    (it) => it.kill(),
  );
  const { ledgerUrl } = servers;
  const person = await opened(
    Promise.resolve(new Person({ client, agent, ledgerUrl, shop, keys })),
    (it) => it.stop(),
  );
  const service = await opened(startService(servers, env), ({ child }) => child.stop());

  tell('Taking each key through its life once …');
  const opening = keys.map((key) => openKey(client, agent, key, settleSeconds * 1_000));
  const answers: Answer[] = (await Promise.all(opening)).flat();

  tell(`${processes} processes, ${keys.length} keys, ${seconds} s …`);
  person.approves = false;
  const broken: string[] = [];
  void service.child.exited.then(() => broken.push('the HTTP service'));
  const plans = Array.from({ length: processes }, (_, index) => ({
    number: index + 1,
    surface: surfaceOf(index + 1),
    seed: seed + 100 * (index + 1),
    keys,
    serviceUrl: service.url,
  }));
  const clients = await opened(
    startClients(
      plans,
      env,
      (answer) => answers.push(answer),
      (number) => broken.push(`client process ${number}`),
    ),
    (it) => it.kill(),
  );
  const killed = await letThemGoOn(options, workers, random, () =>
    tell(`${answers.length} calls answered`),
  );
  await clients.end();

  tell('Answering what is asked, and waiting for every run to end …');
  person.approves = true;
  const open = await settle(client, agent, keys, settleSeconds * 1_000);
  await workers.end();
  await person.stop();

  tell('Counting …');
  const [{ steps, rows }, modelRequests, executions] = await Promise.all([
    readLedger(ledgerUrl, scenario.effectRows),
    readModelRequests(servers.modelUrl),
    readFuzzedExecutions(temporal, open.length, LISTED_WITHIN_MS),
  ]);
  const effects = [...shop.effects.map((effect) => ({ ...effect, token: effect.key })), ...rows];
  const breaches = judgeFuzz({
    answers,
    broken,
    classes,
    keys: new Map(
      keys.map(({ key }) => [workflowIdOf({ tenant: DEFAULT_TENANT, agent, key }), key]),
    ),
    executions,
    effects,
    steps,
    modelRequests,
    open,
  });
  const tombstones = executions.filter(({ type }) => type === FORGOTTEN).length;
  return {
    seed,
    seconds: Math.round((Date.now() - began) / 1_000),
    processes,
    calls: countCalls(answers),
    runs: executions.length - tombstones,
    forgotten: tombstones,
    effects: effects.length,
    modelRequests: Object.values(modelRequests).reduce((sum, times) => sum + times, 0),
    answered: person.answers,
    workersKilled: killed,
    breaches,
    clean: breaches.length === 0,
  };
}

function keyOf(index: number, random: Random): FuzzedKey {
  const inputOf = (name: string) => scenario.request(`${name}-${index + 1}`, random).input;
  return { key: KEYS[index] ?? `key-${index + 1}`, inputs: [inputOf('one'), inputOf('other')] };
}

function environmentOf({ temporalAddress, ledgerUrl }: ChaosServers): Record<string, string> {
  return {
    TEMPORAL_ADDRESS: temporalAddress,
    TEMPORAL_NAMESPACE: 'default',
    LEDGER_URL: ledgerUrl,
    AGENT_ONCE_LOG_LEVEL: 'warn',
    AGENT_ONCE_HTTP_REQUESTS_PER_MINUTE: '1000000',
  };
}

/** Waits for its time, kills workers meanwhile, and returns how many. */
async function letThemGoOn(
  { seconds, killEvery }: FuzzOptions,
  workers: WorkerPool,
  random: Random,
  tell: () => void,
): Promise<number> {
  let killed = 0;
  for (let second = 1; second <= seconds; second += 1) {
    await sleep(1_000);
    tell();
    if (killEvery === 0 || second % killEvery !== 0) continue;
    const victim = random.pick(workers.usable());
    if (!victim) continue;
    victim.kill();
    killed += 1;
  }
  return killed;
}

async function startService(
  { folder }: ChaosServers,
  env: Record<string, string>,
): Promise<{ url: string; child: Child }> {
  let announce = (_url: string): void => undefined;
  const ready = new Promise<string>((resolve) => (announce = resolve));
  const child = await startChild({
    part: 'The HTTP service',
    command: process.execPath,
    args: ['--import', LOADER, path.join(PROJECT_ROOT, 'fuzz/service.ts')],
    env: { ...process.env, ...env },
    logFile: path.join(folder, 'service.log'),
    onLine: (line) => {
      const url = /^listening on (\S+)$/.exec(line)?.[1];
      if (url !== undefined) announce(url);
    },
  });
  const ended = child.exited.then(() => {
    throw new Error(`The HTTP service ended before it was ready:\n${child.lastLines()}`);
  });
  ended.catch(() => undefined);
  return { url: await Promise.race([ready, ended]), child };
}
