import { AgentOnceError } from '../../contract/errors.ts';

/**
 * Whose the server's session behind a connection is: `session`, the connection's own for as long as
 * it lives; `transaction`, another one for each transaction; `transaction-prepared`, likewise, with
 * a pooler that keeps track of prepared statements; `auto`, each connection finds out.
 */
const POOLINGS = ['auto', 'session', 'transaction', 'transaction-prepared'] as const;
export type Pooling = (typeof POOLINGS)[number];

/**
 * Reads `?pooling=…` of a PostgreSQL URL.
 *
 * @throws {AgentOnceError} `config.invalid`
 */
export function poolingOf(url: string): Pooling {
  const text = /[?&]pooling=([^&#]*)/.exec(url)?.[1];
  if (text === undefined) return 'auto';
  const pooling = POOLINGS.find((known) => known === text);
  if (pooling !== undefined) return pooling;
  throw new AgentOnceError(
    'config.invalid',
    `"pooling" in LEDGER_URL is none of ${POOLINGS.join(', ')}. Leave it out: then it is found out.`,
  );
}
