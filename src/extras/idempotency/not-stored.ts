import { AgentOnceError } from '../../contract/errors.ts';

/**
 * `transaction` was ended by the handler itself; `database`: it failed, or gave the holder up; `table`: it
 * is older than this program.
 */
type Cause = 'transaction' | 'database' | 'table';

const DETAILS: Record<Cause, string> = {
  transaction:
    'The answer was not stored: the handler ended the transaction of request.tx itself (COMMIT or ROLLBACK). What it wrote before is rolled back, what it wrote after that may be kept. Let the handler return or throw instead.',
  database:
    'The answer was not stored: the transaction of the request failed, or PostgreSQL ended it, as it does when the process does not get to run for idleMs. What the handler wrote in it is not kept, unless only the answer to COMMIT was lost. Repeat the request with the same key.',
  table:
    'The answer was not stored: the table of stored answers was made by an older version, and has no column for encrypted ones. What the handler wrote in request.tx is rolled back. Run installIdempotency on this database, then repeat the request with the same key.',
};

/** An answer that must not be sent, since nothing of it is stored. Fastify answers 500. */
export class AnswerNotStored extends AgentOnceError {
  readonly statusCode = 500;

  constructor(why: Cause, cause?: unknown) {
    super('internal', DETAILS[why], { cause });
  }
}
