import { fork } from 'node:child_process';
import { once } from 'node:events';
import { openApiKeys } from '../../api-keys/postgres-api-keys.ts';
import { SCOPES, type ApiKeys, type Scope } from '../../api-keys/port.ts';
import { program } from '../../../../../test/support/program.ts';
import type { TestSystem } from '../../../../../test/support/system.ts';
import { within } from '../../../../../test/support/within.ts';

/** A process of the HTTP service on a test's own system. */
export interface TestService {
  url: string;
  pid: number;
  /** Everything it wrote so far. */
  output(): string;
  kill(): Promise<void>;
  /** Asks it to stop, and waits. */
  stop(): Promise<void>;
}

export async function startTestService(
  system: TestSystem,
  env: Record<string, string> = {},
): Promise<TestService> {
  const { file, execArgv } = program('src/extras/service/test/support/service-main');
  const child = fork(file, [], {
    execArgv,
    env: {
      PATH: process.env['PATH'] ?? '',
      AGENT_ONCE_HTTP_REQUESTS_PER_MINUTE: '1000000',
      ...system.env,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  child.stdout?.on('data', (chunk) => (output += String(chunk)));
  child.stderr?.on('data', (chunk) => (output += String(chunk)));
  const ended = once(child, 'exit');
  const ready = Promise.race([
    once(child, 'message').then(([message]) => String(message)),
    ended.then(([code]) => {
      throw new Error(`The service ended (${String(code)}) before it was ready:\n${output}`);
    }),
  ]);
  const url = await within(ready, () => `the service was ready. It wrote:\n${output}`);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await within(ended, () => `the service ended after ${signal}. It wrote:\n${output}`);
  };
  return {
    url,
    pid: child.pid ?? 0,
    output: () => output,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  };
}

/** API keys of a test's own system. */
export interface TestKeys {
  keys: ApiKeys;
  /** A key of a tenant; by default of the default one, with all scopes. */
  keyOf(tenant?: string, scopes?: readonly Scope[]): Promise<string>;
  close(): Promise<void>;
}

export async function openTestKeys(system: TestSystem): Promise<TestKeys> {
  const keys = await openApiKeys(system.env['LEDGER_URL'] ?? '');
  return {
    keys,
    keyOf: async (tenant = 'default', scopes = SCOPES) =>
      (await keys.create({ tenant, scopes, name: 'test' })).key,
    close: () => keys.close(),
  };
}
