import { AgentOnceError } from './errors.ts';

/**
 * What a server that could not listen is refused with: `port.in_use`, or the error itself where it is
 * of another kind.
 *
 * @param what should be at the port, as in `the HTTP service should listen`
 * @param advice what to do, as a sentence
 */
export function portProblem(
  port: number,
  what: string,
  advice: string,
  error: NodeJS.ErrnoException,
): Error {
  if (error.code !== 'EADDRINUSE') return error;
  const message = `Port ${port}, where ${what}, is in use. ${advice} (0: any free one).`;
  return new AgentOnceError('port.in_use', message, { cause: error });
}
