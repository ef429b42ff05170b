import { setTimeout as sleep } from 'node:timers/promises';
import {
  findEffects,
  findModelCalls,
  findRepeats,
  findStarts,
  readModelRequests,
  readShop,
  readTemporal,
} from '../src/extras/demo/readings.ts';
import { exactly, type Finding } from '../src/extras/demo/report.ts';
import { HttpServiceError } from '../src/extras/http-client/http-error.ts';
import type { HttpRun, HttpStartedRun } from '../src/extras/http-client/types.ts';
import { openHttpClient, partOf, type Scene } from './scene.ts';

const CLIENTS = 4;
const TIMES = 5;
const REQUEST = {
  agent: 'support',
  key: 'req-001',
  input: 'Refund 25.00 EUR of order 1042, note it on the order, and tell the customer.',
};
/** What is killed when the worker with the tools has died; at once, one after the other. */
const OTHERS = ['temporal', 'postgres', 'worker-model', 'worker-workflows', 'service-2'];

/**
 * What `agent-once demo` plays, over HTTP: twenty starts of one request, a worker that dies between
 * the refund and its record. Here everything else dies too while the run is open.
 *
 * @returns the demo's table, with one row more
 */
export async function playDemo(scene: Scene): Promise<Finding[]> {
  const { system, temporal, tell } = scene;
  const killed = new Map<string, number>();
  const backs: Promise<void>[] = [];
  /** Does not wait until it is back. */
  const kill = async (name: string): Promise<void> => {
    const part = partOf(system, name);
    backs.push(part.untilBack());
    await part.kill();
    killed.set(name, Date.now());
    tell(`${name} is killed.`);
  };

  tell(
    `${CLIENTS * TIMES} starts of one request under the key ${REQUEST.key}, at once, at two services …`,
  );
  const tools = partOf(system, 'worker-tools');
  const died = tools.ended();
  backs.push(tools.untilBack());
  const clients = Array.from({ length: CLIENTS }, (_, number) => openHttpClient(scene, number));
  const starting = clients.flatMap((client) =>
    Array.from({ length: TIMES }, () => client.start(REQUEST)),
  );
  // The first that is told "new" has its answer; others are on their way.
  await Promise.any(
    starting.map(async (start) => (await start).replayed || Promise.reject(start)),
  ).catch(() => undefined);
  await kill('service-1');
  const answers = await Promise.allSettled(starting);

  await died;
  killed.set('worker-tools', Date.now());
  const atDeath = await readShop(scene.shop);
  tell(`worker-tools is dead by its own hand; the shop has booked ${atDeath.refunds} refund.`);
  for (const name of OTHERS) {
    await kill(name);
    await sleep(300);
  }
  await Promise.all(backs);
  tell('Everything is back.');

  const first = startedOf(answers)[0];
  if (first === undefined) throw firstError(answers);
  const client = openHttpClient(scene, 1);
  const ended = await client.wait(first.id);
  tell(`The run is ${ended.status}: ${JSON.stringify(ended.result ?? ended.error)}`);

  const before = await readModelRequests(scene.model);
  const replay = await client.start(REQUEST);
  const conflict = await client
    .start({ ...REQUEST, input: 'Refund 99.00 EUR of order 1042.' })
    .then(
      () => 'accepted',
      (error: unknown) => (error instanceof HttpServiceError ? error.code : String(error)),
    );
  const [counters, modelRequests = 0, history] = await Promise.all([
    readShop(scene.shop),
    readModelRequests(scene.model),
    readTemporal(temporal, ended.id),
  ]);
  const { executions } = history;
  return [
    ...findStarts(
      { sent: answers.length, answered: startedOf(answers), executions },
      CLIENTS * TIMES,
    ),
    exactly(
      'workers killed after the refund was booked',
      'the system',
      atDeath.refunds === 1 ? 1 : 0,
      1,
    ),
    exactly(
      'processes killed while the run was open',
      'the system',
      whileOpen(killed, ended),
      system.parts.size,
    ),
    ...findEffects(counters, history),
    ...findModelCalls(modelRequests, before, history),
    exactly('the run', 'the service', ended.status, 'completed'),
    ...findRepeats(replay.replayed, conflict),
  ];
}

type Answers = readonly PromiseSettledResult<HttpStartedRun>[];

function startedOf(answers: Answers): HttpStartedRun[] {
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
}

function firstError(answers: Answers): unknown {
  return answers.find((answer) => answer.status === 'rejected')?.reason;
}

/** How many of them died before the run had its end. */
function whileOpen(killed: ReadonlyMap<string, number>, { startedAt, closedAt }: HttpRun): number {
  const end = Date.parse(closedAt ?? '');
  const begin = Date.parse(startedAt);
  return [...killed.values()].filter((at) => begin < at && at < end).length;
}
