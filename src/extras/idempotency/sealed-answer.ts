import type { Extra } from '../../cli/app.ts';
import { invalidSetting, readText } from '../../env.ts';
import { PLAIN, sealing, type Sealer } from '../../ledger/payload.ts';

/** The setting of the extra `encryption`, which may not be there. */
const KEYS = 'AGENT_ONCE_ENCRYPTION_KEYS';
/** Between the headers, as JSON on one line, and the body. */
const NEWLINE = 0x0a;

/** What of an answer may be a secret. */
export interface AnswerContent {
  headers: Record<string, string>;
  body: Buffer;
}

/** How a row has it: sealed as a whole, or in plain. */
type ContentColumns = AnswerContent | { sealed: Buffer };

/**
 * What encrypts stored answers: asked each time, since keys may change.
 *
 * @param extras absent: those of the command that this process runs
 * @throws {AgentOnceError} `config.invalid`: there are keys, and nothing that uses them
 */
export function sealerOf(extras?: readonly Pick<Extra, 'sealer'>[]): () => Sealer {
  const own = extras?.findLast(({ sealer }) => sealer !== undefined)?.sealer;
  const sealer = own ?? (() => (extras ? PLAIN : sealing.sealer()));
  const sample = Buffer.from('a sample');
  // `plain` in the first place: they only decrypt.
  const encrypts = /^(?!plain\s*(?:,|$))/.test(readText(KEYS) ?? 'plain');
  if (encrypts && sealer().seal(sample) === sample) {
    throw invalidSetting(
      KEYS,
      "is set, but addIdempotency has nothing that encrypts: answers would be stored in plain. Give it the app's extras, with `encryption` among them: addIdempotency(server, { pool, extras: app.extras })",
    );
  }
  return sealer;
}

export function toColumns({ headers, body }: AnswerContent, sealer: Sealer): ContentColumns {
  const plain = Buffer.concat([Buffer.from(`${JSON.stringify(headers)}\n`), body]);
  const sealed = sealer.seal(plain);
  return sealed === plain ? { headers, body } : { sealed };
}

/** @throws {AgentOnceError} `payload.unreadable` */
export function fromColumns(columns: ContentColumns, sealer: Sealer): AnswerContent {
  if (!('sealed' in columns)) return columns;
  const plain = sealer.open(columns.sealed);
  const end = plain.indexOf(NEWLINE);
  const headers = JSON.parse(plain.toString('utf8', 0, end)) as AnswerContent['headers'];
  return { headers, body: plain.subarray(end + 1) };
}
