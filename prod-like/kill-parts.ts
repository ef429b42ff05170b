import { setTimeout as sleep } from 'node:timers/promises';
import { readShop } from '../src/extras/demo/readings.ts';
import { exactly, type Finding } from '../src/extras/demo/report.ts';
import type { HttpRun } from '../src/extras/http-client/types.ts';
import { openHttpClient, type Scene } from './scene.ts';

/** Runs that are started before each kill. */
const RUNS = 4;
/** So that the runs are at work when it comes. */
const UNDER_WAY_MS = 250;

/**
 * Kills each process once more, one after the other, each while runs are at work that were started
 * for it; then counts what became of all runs.
 */
export async function killEach(scene: Scene): Promise<Finding[]> {
  const { system, tell } = scene;
  const before = await readShop(scene.shop);
  const runs: Promise<HttpRun>[] = [];
  let killed = 0;
  for (const [name, part] of system.parts) {
    tell(`${RUNS} runs are started, and ${name} is killed …`);
    for (let each = 0; each < RUNS; each += 1) runs.push(playRun(scene, runs.length));
    await sleep(UNDER_WAY_MS);
    const back = part.untilBack();
    const pid = part.pid();
    await part.kill();
    await back;
    if (part.pid() !== pid) killed += 1;
  }
  const ended = await Promise.all(runs);
  tell('All runs have ended.');
  const after = await readShop(scene.shop);
  const completed = ended.filter(({ status }) => status === 'completed');
  // Its e-mail may be sent or not, and is not sent again: see the tool.
  const waiting = ended.filter(
    ({ status, waiting: asked }) =>
      status === 'waiting' && asked.every(({ kind }) => kind === 'outcome'),
  );
  for (const { key } of waiting) tell(`${key} asks a person whether its e-mail was sent.`);
  const emails = after.emails - before.emails;
  return [
    exactly('processes killed, one after the other', 'the system', killed, system.parts.size),
    exactly(
      'runs that completed, or ask what nobody knows',
      'the services',
      completed.length + waiting.length,
      runs.length,
    ),
    exactly('refunds', 'the shop', after.refunds - before.refunds, runs.length),
    {
      what: 'e-mails',
      from: 'the shop',
      value: emails,
      promised:
        waiting.length === 0 ? String(runs.length) : `${completed.length} to ${runs.length}`,
      kept: completed.length <= emails && emails <= runs.length,
    },
  ];
}

async function playRun(scene: Scene, number: number): Promise<HttpRun> {
  const client = openHttpClient(scene, number);
  const { id } = await client.start({
    agent: 'support',
    key: `kill-${number}`,
    input: 'Refund 1.00 EUR of order 1043, note it on the order, and tell the customer.',
  });
  return client.wait(id);
}
