import { Client } from '@temporalio/client';
import type { Logger } from '@temporalio/worker';
import type { ActivityDeps } from '../activities/deps.ts';
import { asAgentOnceError } from '../client/temporal-errors.ts';
import type { Config } from '../config.ts';
import { taskQueues } from '../contract/names.ts';
import type { Ledger } from '../ledger/port.ts';
import { keepCleanupSchedule } from './cleanup-schedule.ts';
import type { WorkerConnection } from './connect.ts';
import { createRetainedRuns } from './retained-runs.ts';

/**
 * Says to the ledger whose runs it is about to hold, and keeps the Schedule in place. What does
 * not succeed there is no reason not to work: it is a warning in the log.
 *
 * @param cleans whether this worker takes cleaning's own tasks
 * @param log hears of what does not succeed
 * @throws {AgentOnceError} of the ledger
 */
export async function prepareCleaning(
  config: Config,
  { connection, namespace, namespaceId, address }: WorkerConnection,
  { cleaner }: Ledger,
  cleans: boolean,
  log: Logger,
): Promise<ActivityDeps['cleaning']> {
  if (!cleaner) return undefined;
  const home = { id: namespaceId, name: namespace };
  const others = await cleaner.register(home);
  if (!cleans) return undefined;

  const { cleanupEveryMs, splitTaskQueues } = config;
  if (others.length > 0 && cleanupEveryMs !== undefined) {
    log.warn(
      `The ledger is not cleaned: runs of other Temporal namespaces use it or did (${others.map(({ name }) => `"${name}"`).join(', ')}). See "Cleaning" in docs/operations.md.`,
    );
  }
  const client = new Client({ connection, namespace });
  try {
    await keepCleanupSchedule(client, taskQueues(splitTaskQueues), cleanupEveryMs);
  } catch (error) {
    const { message } = asAgentOnceError(error, { address, namespace });
    log.warn(
      `The Schedule that cleans the ledger could not be kept in place. ${message} Runs are not concerned; without cleaning the ledger grows. AGENT_ONCE_CLEANUP=off stops this worker from asking.`,
    );
  }
  return { cleaner, runs: createRetainedRuns(client, home) };
}
