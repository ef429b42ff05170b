import type { RunError } from '../contract/run.ts';

/** Whom the server names where it terminates an execution itself. */
const SERVER = 'history-service';

/** Whether it was the server that terminated an execution, and no person. */
export function isServer(identity: string | null): boolean {
  return identity === SERVER;
}

/**
 * What a run's termination is told as. The server ends runs that exceed its limits, and the
 * execution that a reset replaces; names of people and machines are not every caller's to read.
 */
export function terminatedError(reason: string, by: string | null): RunError {
  const message = isServer(by)
    ? `The Temporal server terminated the run${hitLimit(reason) ? ' at one of its limits' : ''}, no person did: ${withStop(reason)} What the run had recorded by then is kept in the ledger.`
    : `The run was terminated by an operator: ${reason}`;
  return { code: 'run.terminated', message };
}

function hitLimit(reason: string): boolean {
  return /exceeds?\b.*\blimit|TooLarge/i.test(reason);
}

function withStop(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
