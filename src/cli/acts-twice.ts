import type { OpenQuestion } from '../contract/decision.ts';
import { nameProcess } from './show-questions.ts';

/** Why "did not happen" is not taken from a program just so. */
export function actsTwice({ worker, error }: OpenQuestion): string {
  const first =
    error === null
      ? `Make sure that ${nameProcess(worker)} is dead`
      : 'Make sure that what it had sent is no longer under way';
  return `Nothing was decided: --did-not-happen runs the step again. ${first}, then repeat the command with --yes.`;
}
