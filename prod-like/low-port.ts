import { AgentOnceError } from '../src/contract/errors.ts';
import { isPortFree } from '../src/extras/dev/ports.ts';

const FIRST = 20_000;
const LAST = 32_000;

/**
 * A free port that Temporal takes: its members write their ports into a column of PostgreSQL's that
 * ends at 32,767, and what the system gives away is above.
 *
 * @throws {AgentOnceError} `port.in_use`
 */
export async function findLowPort(): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (await isPortFree(port)) return port;
  }
  throw new AgentOnceError('port.in_use', `No port from ${FIRST} to ${LAST} was found free.`);
}
