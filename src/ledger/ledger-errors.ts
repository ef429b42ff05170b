import { AgentOnceError } from '../contract/errors.ts';

/** Why a backend does not let us in, and what a person may do. */
export interface Refusal {
  /** Half a sentence: `it wants …`. */
  says: string;
  advice: string;
}

/**
 * `ledger.invalid`: a person has to act.
 *
 * @param where host, port and database, without credentials
 */
export function ledgerRefused(
  where: string,
  { says, advice }: Refusal,
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
 * @param reason `says`: a sentence with a blank behind it, or nothing
 */
export function ledgerAway(
  where: string,
  { code, says }: { code: string; says: string },
  cause: unknown,
): AgentOnceError {
  return new AgentOnceError(
    'ledger.unreachable',
    `The ledger at ${where} does not answer (${code}). ${says}What it has recorded is kept; the step goes on when it is back.`,
    { cause },
  );
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
