import type { Ledger } from '../port.ts';
import { claimStep, renewClaim } from './claim.ts';
import { postgresCleaner } from './cleaner.ts';
import { Database, type PostgresLedgerOptions } from './database.ts';
import { decideQuestion } from './decide.ts';
import { endings } from './finish.ts';
import { readIdentity } from './identity.ts';
import { openMigrated } from './open-migrated.ts';
import { questions } from './questions.ts';
import { records } from './records.ts';
import { shareStep } from './share.ts';
import { transactStep } from './transact.ts';
import { workerLeases } from './worker-leases.ts';

const RETIRE = `
INSERT INTO agent_once.retired_scopes (scope) VALUES ($1)
ON CONFLICT (scope) DO UPDATE SET provisional = false`;

/**
 * Opens the ledger in a PostgreSQL database (14 or newer) and brings its schema `agent_once` up to
 * date. Time is the database's: workers' clocks decide nothing. Close it when done.
 *
 * @param url `postgres://user:password@host:port/database`
 * @param options.app the app's folder, for migrations of its own
 * @throws {AgentOnceError} `config.invalid`, `ledger.unreachable`, `ledger.invalid`
 */
export async function createPostgresLedger(
  url: string,
  options: PostgresLedgerOptions & { app?: string | undefined } = {},
): Promise<Ledger> {
  const { database, newer } = await openMigrated(url, 'worker', options);
  const renewals = new Database(url, { poolSize: 1 });
  return {
    ...(newer.length > 0 && {
      remark: `The ledger at ${database.where} was migrated by a newer version of this program (${newer.join(', ')}). This one works with it.`,
    }),
    transactions: true,
    get connections() {
      return database.connections;
    },
    leases: workerLeases(renewals),
    cleaner: postgresCleaner(database),
    claim: (step) => claimStep(database, step),
    renew: (claim) => renewClaim(database, claim),
    ...endings(database),
    ...questions(database),
    decide: (scope, answer) => decideQuestion(database, scope, answer),
    transact: (claim, work, signal) => transactStep(database, claim, work, signal),
    share: (request) => shareStep(database, request),
    async retire(scope) {
      await database.query(RETIRE, [scope]);
    },
    identity: () => readIdentity(database),
    ...records(database),
    async close() {
      await Promise.all([database.close(), renewals.close()]);
    },
  };
}
