import {
  asSentence,
  connectionFailure,
  type ConnectionFailure,
} from '../contract/connection-failure.ts';
import { AgentOnceError } from '../contract/errors.ts';

/** What a person may do about failures of the network that do not mend themselves. */
export type NetworkAdvice = Readonly<Partial<Record<ConnectionFailure['kind'], string>>>;

/**
 * `ledger.invalid`: a person has to act.
 *
 * @param where host, port and database, without credentials
 * @param says half a sentence about the backend: `it wants …`
 */
export function ledgerRefused(
  where: string,
  says: string,
  advice: string,
  cause: unknown,
): AgentOnceError {
  return new AgentOnceError(
    'ledger.invalid',
    `The ledger at ${where} cannot be used: ${says}. Nothing was changed. ${advice}`,
    { cause },
  );
}

/**
 * `ledger.unreachable`: asking again may help.
 *
 * @param where host, port and database, without credentials
 * @param says a sentence about the backend; may be empty
 */
export function ledgerAway(
  where: string,
  code: string,
  says: string,
  cause: unknown,
): AgentOnceError {
  return new AgentOnceError(
    'ledger.unreachable',
    `The ledger at ${where} does not answer (${code}). ${says && `${says} `}What it has recorded is kept; the step goes on when it is back.`,
    { cause },
  );
}

/**
 * What an error of the network means to the ledger's caller; `undefined`: it is no such error.
 *
 * @param where host, port and database, without credentials
 * @param doubt a sentence about a server that hangs up or says nothing
 */
export function networkError(
  error: unknown,
  where: string,
  advice: NetworkAdvice,
  doubt = '',
): AgentOnceError | undefined {
  const failure = connectionFailure(error);
  if (!failure) return undefined;
  const { kind, code, says } = failure;
  const todo = advice[kind];
  if (todo !== undefined) return ledgerRefused(where, `${says} (${code})`, todo, error);
  const more = kind === 'lost' || kind === 'timeout' ? doubt : '';
  return ledgerAway(where, code, `${asSentence(failure)} ${more}`.trimEnd(), error);
}

/**
 * `ledger.value_refused`: it would be refused again. The backend's own words are left out, since they
 * repeat the value.
 *
 * @param why a sentence
 */
export function valueRefused(why: string, cause: unknown): AgentOnceError {
  return new AgentOnceError(
    'ledger.value_refused',
    `A value of this step is one that the ledger cannot hold, so the step was not tried again. What was recorded before it is kept. ${why}`,
    { cause },
  );
}

/** `decision.invalid`: the other side may know the step's token with what an attempt has sent. */
export function alreadyBegun(step: string): AgentOnceError {
  return new AgentOnceError(
    'decision.invalid',
    `An attempt of ${step} with the arguments that it has was begun, so it cannot get others. Nothing was decided. Approve it as it is, or deny it.`,
  );
}
