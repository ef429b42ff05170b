import { AgentOnceError } from '../../contract/errors.ts';
import { plainCommand } from '../../cli/commands.ts';
import { PROJECT_ROOT } from './paths.ts';

/**
 * Loads code that only a checkout has: a production build comes without the local stack, whose
 * packages are not installed there.
 *
 * @throws {AgentOnceError} `usage`, in a build
 */
export async function fromCheckout<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND';
    // In a checkout, a missing module is a missing `npm install`: its own message says which.
    if (!missing || import.meta.url.endsWith('.ts')) throw error;
    throw new AgentOnceError(
      'usage',
      `This command starts servers of its own, which a production build does not have: run it in a checkout of the project. Here, "${plainCommand('worker')}" works on a Temporal server and a database that are there already.`,
      { cause: error },
    );
  }
}

/**
 * @returns the project's root
 * @throws {AgentOnceError} `usage`, in a build: it has none of the project's files
 */
export function requireCheckout(): string {
  if (import.meta.url.endsWith('.ts')) return PROJECT_ROOT;
  throw new AgentOnceError(
    'usage',
    'This command works on the files of the project, which a production build does not have: run it in a checkout.',
  );
}
