import {
  startCommandProcess,
  type CommandProcess,
  type CommandProcessOptions,
} from './command-process.ts';
import { requireFreePort } from './ports.ts';

type Options = Pick<CommandProcessOptions, 'env' | 'reload' | 'onLine' | 'log'>;

/** They write into a pipe, and a person reads it at its end. */
const FOR_PEOPLE = { AGENT_ONCE_LOG_FORMAT: 'text' };
/** Where the HTTP service is, and the pages that a person may open. */
export interface ServiceAddress {
  url: string;
  pages: string[];
}
/** A little more than the worker gives its own steps, which it lets finish. */
const WORKER_GRACE_MS = 13_000;
/** Whoever waits for a run is answered at once; who is still sending after this is cut off. */
const SERVICE_GRACE_MS = 10_000;

/** Runs `agent-once worker` in a process of its own, and another one whenever it dies. */
export function startWorkerProcess(options: Options): Promise<CommandProcess> {
  return startCommandProcess({
    ...options,
    env: { ...FOR_PEOPLE, ...options.env },
    part: 'worker',
    args: () => ['worker'],
    ready: /\bWorker \d+ is ready/,
    graceMs: WORKER_GRACE_MS,
  });
}

/**
 * Runs `agent-once serve --open` in a process of its own, and another one whenever it dies.
 *
 * @param port 0: any free one
 * @returns also where it is, once it is ready for the first time; it stays there
 * @throws {AgentOnceError} `port.in_use`
 */
export async function startServiceProcess(
  port: number,
  options: Options,
): Promise<{ told: Promise<ServiceAddress>; stop(): Promise<void> }> {
  if (port !== 0) await requireFreePort(port, { part: 'the HTTP service', flag: '--http-port' });
  let url: string | undefined;
  const service = await startCommandProcess({
    ...options,
    // Nobody balances requests here.
    env: { ...FOR_PEOPLE, ...options.env, AGENT_ONCE_DRAIN: 'off' },
    part: 'service',
    // Whoever knows where it is finds it there again.
    args: () => ['serve', '--open', '--port', url === undefined ? String(port) : new URL(url).port],
    ready: /\bThe service is ready: (http:\S+\d), its pages: (.*)/,
    graceMs: SERVICE_GRACE_MS,
  });
  return {
    told: service.ready.then(([, found = '', pages = '']) => {
      url = found;
      return { url, pages: pages.split(', ') };
    }),
    stop: () => service.stop(),
  };
}
