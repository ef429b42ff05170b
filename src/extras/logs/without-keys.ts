import { isHashedKey, type RunName } from '../../contract/key.ts';
import { sha256Base64url, sha256Hex } from '../../contract/hash.ts';

const GONE = '[key]';
/** Shorter keys may be parts of any word. */
const SHORTEST = 4;
/** What Temporal names a task by: a workflow ID is in it, in base64. */
const TASK_TOKEN = /\bTaskToken\([^)]*\)/g;
/** The workflow ID of any run. What begins with `agent-once-` and ends so is no run's. */
const ANY_RUN =
  /\b(agent-(?!once-(?:model|tools|ledger-cleanup|worker|service)\b)(?:[a-z][a-z0-9_]{0,31}\.)?[a-z][a-z0-9_]{0,31}-)(?:~[\w-]{43}|[A-Za-z0-9._:-]{1,128})/g;

/**
 * Takes clients' keys out of text: those in workflow IDs, and the one of the run that a line is about,
 * wherever it stands, with its plain hashes. Of fewer than four characters only in workflow IDs.
 */
export function keyRemover(run: RunName | undefined): (text: string) => string {
  const forms = run ? formsOf(run.key) : [];
  return (text) =>
    forms.reduce(
      (rest, form) => rest.replaceAll(form, GONE),
      text.replace(TASK_TOKEN, 'TaskToken(…)').replace(ANY_RUN, `$1${GONE}`),
    );
}

/** @param key as it stands in the workflow ID */
function formsOf(key: string): string[] {
  if (isHashedKey(key)) return [key, key.slice(1)];
  if (key.length < SHORTEST) return [];
  return [key, encodeURIComponent(key), sha256Base64url(key), sha256Hex(key)];
}
