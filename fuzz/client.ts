/** A client process of the fuzz: does one thing after another until it is told to end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { chaosAgent } from '../chaos/agents.ts';
import { createRandom } from '../chaos/random.ts';
import { createRegistry } from '../src/define/registry.ts';
import { AgentOnceClient } from '../src/client/agent-once-client.ts';
import { connect } from '../src/client/connect.ts';
import type { Answer, Perform } from './answer.ts';
import type { ClientPlan } from './clients.ts';
import { performByCommand } from './command.ts';
import { performOver } from './http.ts';
import { performWith } from './library.ts';
import { nextOrder } from './operations.ts';

const { number, surface, seed, keys, serviceUrl } = JSON.parse(process.argv[2] ?? '') as ClientPlan;
const agent = chaosAgent.name;
let ending = false;
// Its parent alone decides when it ends, and takes it along.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(0));
process.on('message', () => (ending = true));

const perform = await open();
const random = createRandom(seed);
process.send?.('ready');
while (!ending) {
  const order = nextOrder(keys, random);
  await sleep(order.pauseMs);
  const told = await perform(order);
  const { operation, key } = order;
  const answer: Answer = { process: number, surface, operation, key, ...told };
  process.send?.(answer);
}
process.exit(0);

async function open(): Promise<Perform> {
  switch (surface) {
    case 'http':
      return performOver(serviceUrl, agent);
    case 'command':
      return performByCommand(agent);
    case 'library': {
      const { temporal } = await connect();
      const registry = createRegistry([chaosAgent], { defaultModel: 'scripted' });
      return performWith(new AgentOnceClient({ temporal, registry }), agent);
    }
  }
}
