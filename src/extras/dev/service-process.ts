import { startCommandProcess, type CommandProcess } from './command-process.ts';
import { requireFreePort } from './ports.ts';

export interface ServiceProcessOptions {
  /** Where its servers are; see `stackEnvironment`. */
  env: NodeJS.ProcessEnv;
  /** 0: any free one. */
  port: number;
  /** Restarts it when a file under `src/` or `examples/` changes. */
  reload: boolean;
  /** What the service prints. */
  onLine: (line: string) => void;
  /** What happens to it. */
  log: (line: string) => void;
}

export interface ServiceProcess extends Pick<CommandProcess, 'stop'> {
  /** Where it is, once it is ready for the first time; it stays there. */
  url: Promise<string>;
}

/** Whoever waits for a run is answered at once; who is still sending after this is cut off. */
const GRACE_MS = 10_000;

/**
 * Runs `agent-once serve --open` in a process of its own, and another one whenever it dies.
 *
 * @throws {AgentOnceError} `port.in_use`
 */
export async function startServiceProcess(options: ServiceProcessOptions): Promise<ServiceProcess> {
  const { port, env, ...others } = options;
  if (port !== 0) await requireFreePort(port, { part: 'the HTTP service', flag: '--http-port' });
  let url: string | undefined;
  const service = await startCommandProcess({
    ...others,
    // Nobody balances requests here.
    env: { ...env, AGENT_ONCE_DRAIN: 'off' },
    part: 'service',
    // Whoever knows where it is finds it there again.
    args: () => ['serve', '--open', '--port', url === undefined ? String(port) : new URL(url).port],
    ready: /^The service is ready: (http:\S+\d)/,
    graceMs: GRACE_MS,
  });
  return {
    url: service.ready.then(([, found = '']) => (url = found)),
    stop: () => service.stop(),
  };
}
