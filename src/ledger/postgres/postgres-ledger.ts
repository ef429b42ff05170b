import type { DecisionInput, DecisionResult } from '../../contract/decision.ts';
import type { Transaction } from '../../contract/transaction.ts';
import type {
  AskedQuestion,
  Claim,
  ClaimAnswer,
  Completion,
  EarlierStep,
  FailedAttempt,
  Ledger,
  LedgerIdentity,
  Question,
  Recorded,
  ShareAnswer,
  ShareRequest,
  StepClaim,
  StepError,
  StepRecord,
} from '../port.ts';
import { claimStep, renewClaim } from './claim.ts';
import { PostgresCleaner } from './cleaner.ts';
import { Database, type PostgresLedgerOptions } from './database.ts';
import { abandonStep, completeStep, failStep, noteOnStep } from './finish.ts';
import { readIdentity } from './identity.ts';
import { migrateIfNeeded } from './migrate.ts';
import { askQuestion, readQuestions } from './questions.ts';
import { decideQuestion } from './decide.ts';
import { readEarlier, readStep, readSteps } from './records.ts';
import { shareStep } from './share.ts';
import { transactStep } from './transact.ts';

/**
 * Opens the ledger in a PostgreSQL database (14 or newer) and brings its schema `agent_once` up to
 * date. Close it when done.
 *
 * @param url `postgres://user:password@host:port/database`
 * @param options.app the app's folder, for migrations of its own
 * @throws {AgentOnceError} `config.invalid`, `ledger.unreachable`, `ledger.invalid`
 */
export async function createPostgresLedger(
  url: string,
  options: PostgresLedgerOptions & { app?: string | undefined } = {},
): Promise<Ledger> {
  const database = new Database(url, options);
  try {
    await migrateIfNeeded(database, url, 'worker', options.app);
  } catch (error) {
    await database.close();
    throw error;
  }
  return new PostgresLedger(database);
}

const RETIRE = `
INSERT INTO agent_once.retired_scopes (scope) VALUES ($1)
ON CONFLICT (scope) DO UPDATE SET provisional = false`;

/** The ledger in PostgreSQL. Time is the database's: workers' clocks decide nothing. */
export class PostgresLedger implements Ledger {
  readonly transactions = true;
  readonly cleaner: PostgresCleaner;
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
    this.cleaner = new PostgresCleaner(database);
  }

  claim(step: StepClaim): Promise<ClaimAnswer> {
    return claimStep(this.#database, step);
  }

  renew(claim: Claim): Promise<boolean> {
    return renewClaim(this.#database, claim);
  }

  complete(claim: Claim, completion: Completion): Promise<Recorded> {
    return completeStep(this.#database, claim, completion);
  }

  fail(claim: Claim, error: StepError, how: FailedAttempt = {}): Promise<boolean> {
    return failStep(this.#database, claim, error, how);
  }

  abandon(claim: Claim, error: StepError): Promise<boolean> {
    return abandonStep(this.#database, claim, error);
  }

  note(scope: string, step: string, error: StepError): Promise<void> {
    return noteOnStep(this.#database, scope, step, error);
  }

  ask(question: Question): Promise<AskedQuestion> {
    return askQuestion(this.#database, question);
  }

  decide(scope: string, answer: DecisionInput): Promise<DecisionResult> {
    return decideQuestion(this.#database, scope, answer);
  }

  questions(scope: string): Promise<AskedQuestion[]> {
    return readQuestions(this.#database, scope);
  }

  transact(
    claim: Claim,
    work: (tx: Transaction) => Promise<Completion>,
    signal?: AbortSignal,
  ): Promise<boolean> {
    return transactStep(this.#database, claim, work, signal);
  }

  share(request: ShareRequest): Promise<ShareAnswer> {
    return shareStep(this.#database, request);
  }

  async retire(scope: string): Promise<void> {
    await this.#database.query(RETIRE, [scope]);
  }

  identity(): Promise<LedgerIdentity> {
    return readIdentity(this.#database);
  }

  step(scope: string, step: string): Promise<StepRecord | undefined> {
    return readStep(this.#database, scope, step);
  }

  steps(scope: string): Promise<StepRecord[]> {
    return readSteps(this.#database, scope);
  }

  earlier(scope: string, beforeTurn: number): Promise<EarlierStep[]> {
    return readEarlier(this.#database, scope, beforeTurn);
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}
