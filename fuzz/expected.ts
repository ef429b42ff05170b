import type { Answer } from './answer.ts';
import type { Operation } from './operations.ts';

/**
 * What a call may be told besides `ok`, when others do what they want with the same key meanwhile.
 * Whatever else it is told is a finding.
 */
const EXPECTED: Readonly<Record<Operation, readonly string[]>> = {
  start: ['key.conflict'],
  status: ['run.not_found'],
  cancel: ['run.not_found'],
  resume: ['run.not_found', 'key.conflict'],
  forget: ['run.not_found', 'run.still_running'],
  decide: [
    'none',
    'run.not_found',
    'decision.not_asked',
    'decision.conflict',
    // Several calls wait, and the command names none; or the key is another run's by now, which asks
    // something else about that step.
    'decision.invalid',
    // The run ended, or no worker took the answer in time.
    'run.still_running',
  ],
};

export function isExpected({ operation, code }: Answer): boolean {
  return code === 'ok' || EXPECTED[operation].includes(code);
}
