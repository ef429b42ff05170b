import { AgentOnceError } from '../../contract/errors.ts';

/** `transaction` was ended by the handler itself; `database`: it failed, or gave the holder up. */
type Cause = 'transaction' | 'database';

const DETAILS: Record<Cause, string> = {
  transaction:
    'The answer was not stored: the handler ended the transaction of request.tx itself (COMMIT or ROLLBACK). What it wrote before is rolled back, what it wrote after that may be kept. Let the handler return or throw instead.',
  database:
    'The answer was not stored: the transaction of the request failed, or PostgreSQL ended it, as it does when the process does not get to run for idleMs. What the handler wrote in it is not kept, unless only the answer to COMMIT was lost. Repeat the request with the same key.',
};

/** An answer that must not be sent, since nothing of it is stored. Fastify answers 500. */
export class AnswerNotStored extends AgentOnceError {
  readonly statusCode = 500;

  constructor(why: Cause, cause?: unknown) {
    super('internal', DETAILS[why], { cause });
  }
}
