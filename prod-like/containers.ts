import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { startChild, untilReady, type Child } from '../src/extras/dev/child-process.ts';

/** What a container would run, as a process. */
export interface Command {
  /** The name of its service. */
  name: string;
  /** The program and its arguments. */
  words: readonly string[];
  env: Record<string, string>;
  /** Everything it prints is appended there. */
  logFile: string;
}

/**
 * Runs a service to its end, as `service_completed_successfully` waits for it.
 *
 * @throws {Error} it ended with another exit code than 0; with its last lines
 */
export async function runToEnd({ name, words, ...how }: Command): Promise<void> {
  const child = await startWords(name, words, how);
  const { code, signal } = await child.exited;
  if (code === 0) return;
  throw new Error(
    `${name} ended with ${signal ?? `exit code ${code}`}. Its last lines:\n${child.lastLines()}`,
  );
}

/**
 * Starts a service that stays, and waits until it is well.
 *
 * @throws {AgentOnceError} `part.failed`: it ended, or was not well within 30 s
 */
export async function runToHealth(
  { name, words, ...how }: Command,
  isWell: () => Promise<unknown>,
): Promise<Child> {
  const child = await startWords(name, words, how);
  try {
    await untilReady(child, name, isWell);
    return child;
  } catch (error) {
    child.kill();
    await child.exited;
    throw error;
  }
}

/** A health check as a command. @throws {Error} it ended with another exit code than 0 */
export async function checkHealth(words: readonly string[], env: Record<string, string>) {
  const [program = '', ...args] = words;
  await promisify(execFile)(program, args, { env });
}

/** What `nc -z` looks at. @throws {Error} nobody listens */
export async function checkPort(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}

function startWords(
  name: string,
  [command = '', ...args]: readonly string[],
  how: Pick<Command, 'env' | 'logFile'>,
): Promise<Child> {
  // Ten seconds for steps under way, five in which it says that it stops.
  return startChild({ part: name, command, args, graceMs: 20_000, ...how });
}
