import type { DecisionInput, DecisionResult } from '../../contract/decision.ts';
import { AgentOnceError } from '../../contract/errors.ts';
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
} from '../../ledger/port.ts';
import { claimStep, renewClaim } from './claim.ts';
import { RedisCleaner } from './cleaner.ts';
import { Connection } from './connection.ts';
import { assertDurable } from './durability.ts';
import { abandonStep, completeStep, failStep, noteOnStep } from './finish.ts';
import { readIdentity } from './identity.ts';
import { keys } from './keys.ts';
import { askQuestion, decideQuestion, readQuestions } from './questions.ts';
import { readStep, readSteps } from './records.ts';
import { loadScript } from './script.ts';
import { shareStep } from './share.ts';

const OPEN = loadScript('open');
/** Counts changes of what the keys hold. */
const FORMAT = 1;

/**
 * Opens the ledger in a Redis database (version 7 or newer). Close it when done.
 *
 * @param url `redis://user:password@host:port/number`, or `rediss://` with TLS
 * @param options `durableFor` names tools that must not run while the server may forget what it
 *   answered
 * @throws {AgentOnceError} `config.invalid`, `ledger.unreachable`, `ledger.invalid`
 */
export async function createRedisLedger(
  url: string,
  { durableFor = [] }: { durableFor?: readonly string[] } = {},
): Promise<Ledger> {
  const connection = new Connection(url);
  try {
    await assertUsable(connection);
    if (durableFor.length > 0) await assertDurable(connection, durableFor);
  } catch (error) {
    await connection.close();
    throw error;
  }
  return new RedisLedger(connection);
}

/** Whether it is a server that scripts can use, and holds what they understand. */
async function assertUsable(connection: Connection): Promise<void> {
  const found = await connection.run(OPEN, [keys.format, keys.index('')], [FORMAT]);
  if (String(found) === String(FORMAT)) return;
  throw new AgentOnceError(
    'ledger.invalid',
    `The ledger at ${connection.where} was written by a newer version of this program. Nothing was changed. Deploy that version here too, or set LEDGER_URL to another database.`,
  );
}

/**
 * The ledger in Redis. Each method is one script, which Redis runs alone, by its own clock. What a
 * server that fails over forgets is in docs/adr/0008.
 */
class RedisLedger implements Ledger {
  readonly transactions = false;
  readonly cleaner: RedisCleaner;
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.cleaner = new RedisCleaner(connection);
  }

  claim(step: StepClaim): Promise<ClaimAnswer> {
    return claimStep(this.#connection, step);
  }

  renew(claim: Claim): Promise<boolean> {
    return renewClaim(this.#connection, claim);
  }

  complete(claim: Claim, completion: Completion): Promise<Recorded> {
    return completeStep(this.#connection, claim, completion);
  }

  fail(claim: Claim, error: StepError, how: FailedAttempt = {}): Promise<boolean> {
    return failStep(this.#connection, claim, error, how);
  }

  abandon(claim: Claim, error: StepError): Promise<boolean> {
    return abandonStep(this.#connection, claim, error);
  }

  note(scope: string, step: string, error: StepError): Promise<void> {
    return noteOnStep(this.#connection, scope, step, error);
  }

  ask(question: Question): Promise<AskedQuestion> {
    return askQuestion(this.#connection, question);
  }

  decide(scope: string, answer: DecisionInput): Promise<DecisionResult> {
    return decideQuestion(this.#connection, scope, answer);
  }

  questions(scope: string): Promise<AskedQuestion[]> {
    return readQuestions(this.#connection, scope);
  }

  transact(): Promise<boolean> {
    return Promise.reject(
      new AgentOnceError(
        'ledger.invalid',
        'A Redis ledger has no transactions for tools. Nothing was done. Set LEDGER_URL to a PostgreSQL ledger, or give the tool another effect.',
      ),
    );
  }

  share(request: ShareRequest): Promise<ShareAnswer> {
    return shareStep(this.#connection, request);
  }

  async retire(scope: string): Promise<void> {
    await this.#connection.command(['SET', keys.retired(scope), Date.now()]);
  }

  identity(): Promise<LedgerIdentity> {
    return readIdentity(this.#connection);
  }

  step(scope: string, step: string): Promise<StepRecord | undefined> {
    return readStep(this.#connection, scope, step);
  }

  async steps(scope: string): Promise<StepRecord[]> {
    const steps = await readSteps(this.#connection, scope);
    return steps.map(({ leaseLeftMs: _left, runAttempts: _attempts, ...step }) => step);
  }

  async earlier(scope: string, beforeTurn: number): Promise<EarlierStep[]> {
    const steps = await readSteps(this.#connection, scope, beforeTurn);
    return steps.map(({ step, state, digest, request, result }) => {
      return { step, state, digest, request, result };
    });
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}
