import type { JsonValue } from '../../contract/json-value.ts';
import { cutToBytes } from '../../contract/text-bytes.ts';
import type { ModelRequest } from '../port.ts';

/** Bytes of UTF-8. */
const LONGEST = 1024;
/** Scrubbing a message of many megabytes would take longer than anybody reads. */
const READ = 8 * 1024;
const GONE = '[redacted]';

/** What looks like a credential, wherever it comes from. Endpoints echo them, in part or whole. */
const SECRETS: [RegExp, string][] = [
  [/\b(bearer|basic)\s+[^\s"',;]+/gi, `$1 ${GONE}`],
  [
    /((?:api[ _-]?key|token|secret|password|authorization)"?(?: provided)?\s*[:=]\s*"?)[^\s"',;]+/gi,
    `$1${GONE}`,
  ],
  [/\b(?:sk|pk|rk|sess|gsk|xai|hf|ghp|glpat)[-_][A-Za-z0-9_*.-]{3,}/g, GONE],
  [/\bAIza[A-Za-z0-9_-]{10,}/g, GONE],
  [/\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?/g, GONE],
  [/(\/\/)[^\s/@]+@/g, `$1${GONE}@`],
];

/**
 * Makes somebody else's text fit for a message, a log and Temporal's history: one line, without what
 * is secret there and whatever looks like a credential, at most 1 KiB of UTF-8.
 */
export type Scrub = (text: string) => string;

/**
 * @param credentials of the endpoint, in the words in which it may echo them
 * @param request what the endpoint gets back of its own must stand in no message either
 */
export function createScrub(credentials: readonly string[], request: ModelRequest): Scrub {
  return (text) => {
    let clean = text.slice(0, READ);
    const secrets = [...inJson(credentials), ...inJson(partTexts(request))];
    for (const secret of secrets) clean = clean.replaceAll(secret, GONE);
    for (const [pattern, instead] of SECRETS) clean = clean.replaceAll(pattern, instead);
    // Control characters would let an endpoint write to the terminal of whoever reads this.
    clean = clean.replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, ' ').trim();
    return cutToBytes(clean, LONGEST, '…');
  };
}

/** Shorter ones are no secrets, and may be parts of words. */
const SHORTEST = 4;

/** Texts and their forms in JSON, the longest first: it may have another one in it. */
function inJson(texts: readonly string[]): string[] {
  const forms = texts.flatMap((text) => [text, JSON.stringify(text).slice(1, -1)]);
  return [...new Set(forms)]
    .filter(({ length }) => length >= SHORTEST)
    .sort((a, b) => b.length - a.length);
}

/** The texts of the parts that a request gives back. */
function partTexts({ messages }: ModelRequest): string[] {
  const turns = messages.filter((message) => message.role === 'assistant');
  const parts = turns.flatMap(({ opaque, calls }) => [opaque, ...calls.map((call) => call.opaque)]);
  return parts.flatMap((part) => textsIn(part?.data ?? null));
}

/** Shorter ones are names, kinds and words of a language. */
const SHORTEST_PART = 16;

function textsIn(value: JsonValue): string[] {
  if (typeof value === 'string') return value.length >= SHORTEST_PART ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((inside: JsonValue) => textsIn(inside));
}
