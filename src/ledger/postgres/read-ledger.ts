import { AgentOnceError } from '../../contract/errors.ts';
import type { HeldStep, LedgerReader } from '../reader.ts';
import { codeOf } from './database-error.ts';
import { Database } from './database.ts';
import { readQuestions } from './questions.ts';
import { readSteps } from './records.ts';
import { readSharing } from './sharing.ts';

const UNDEFINED_TABLE = '42P01';

interface HeldRow {
  step: string;
  left_ms: number | null;
  run_attempts: number;
}

const HELD = `
SELECT s.step, s.run_attempts,
  CASE WHEN s.state = 'claimed'
    THEN extract(epoch FROM s.lease_until - clock_timestamp())::double precision * 1000
  END AS left_ms
FROM agent_once.steps AS s
WHERE s.scope = $1`;

/**
 * Opens the ledger for somebody who only reads: nothing is migrated, and the right to read is
 * enough. Whether the database answers shows with the first question. Close it when done.
 *
 * @throws {AgentOnceError} `config.invalid`
 */
export function openPostgresLedgerReader(url: string): LedgerReader {
  const database = new Database(url, { poolSize: 1, readOnly: true });
  return {
    steps: (scope) => readHeldSteps(database, scope),
    questions: (scope) => readQuestions(database, scope),
    sharing: (tokens) => readSharing(database, tokens),
    close: () => database.close(),
  };
}

async function readHeldSteps(database: Database, scope: string): Promise<HeldStep[]> {
  try {
    const rows = await database.query<HeldRow>(HELD, [scope]);
    const held = new Map(rows.map((row) => [row.step, row]));
    const steps = await readSteps(database, scope);
    return steps.map((step) => ({
      ...step,
      leaseLeftMs: held.get(step.step)?.left_ms ?? null,
      runAttempts: held.get(step.step)?.run_attempts ?? 0,
    }));
  } catch (error) {
    if (codeOf(error) !== UNDEFINED_TABLE) throw error;
    throw new AgentOnceError(
      'ledger.invalid',
      `The database at ${database.where} has no ledger in it: no worker has used it yet. Set LEDGER_URL to the workers' ledger.`,
      { cause: error },
    );
  }
}
