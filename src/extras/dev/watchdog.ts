import { spawn } from 'node:child_process';

/**
 * Waits until its standard input closes, which the system does when the parent is gone, however it
 * ended; then asks the child to stop, and kills what is left of its group after the grace.
 */
const SCRIPT = `
cat >/dev/null
kill -s "$2" "$1" 2>/dev/null || exit 0
tries=0
while [ "$tries" -lt "$3" ] && kill -0 "$1" 2>/dev/null; do sleep 0.1; tries=$((tries + 1)); done
kill -s KILL -- "-$1" 2>/dev/null
`;

/**
 * Ends the process `pid`, the leader of its own group, when this process is gone: without it a
 * server outlives a parent that was killed with SIGKILL, and blocks its port. A shell does it,
 * since one of these runs beside every server.
 *
 * @returns a function that calls the watchdog off.
 */
export function startWatchdog(pid: number, signal: NodeJS.Signals, graceMs: number): () => void {
  const watchdog = spawn(
    '/bin/sh',
    [
      '-c',
      SCRIPT,
      'watchdog',
      String(pid),
      signal.replace(/^SIG/, ''),
      String(Math.ceil(graceMs / 100)),
    ],
    {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      cwd: '/',
      env: { PATH: process.env['PATH'] },
    },
  );
  // Without a shell there is no watchdog, and the server itself is none the worse for it.
  watchdog.on('error', () => undefined);
  watchdog.stdin.on('error', () => undefined);
  watchdog.unref();
  // The handle of a pipe keeps the event loop alive unless told otherwise.
  if ('unref' in watchdog.stdin && typeof watchdog.stdin.unref === 'function')
    watchdog.stdin.unref();
  return () => void watchdog.kill('SIGKILL');
}
