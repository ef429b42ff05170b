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

/** Makes somebody else's text fit for a message, with what is secret there. */
export type Scrub = (text: string) => string;

/**
 * Somebody else's text, made fit for a message, a log and Temporal's history: one line, without
 * the configured secrets and whatever looks like a credential, at most 1 KiB of UTF-8.
 */
export function scrub(text: string, secrets: readonly string[]): string {
  let clean = text.slice(0, READ);
  for (const secret of secrets) {
    // Shorter ones are no secrets, and may be parts of words.
    if (secret.length >= 4) clean = clean.replaceAll(secret, GONE);
  }
  for (const [pattern, instead] of SECRETS) clean = clean.replaceAll(pattern, instead);
  // Control characters would let an endpoint write to the terminal of whoever reads this.
  clean = clean.replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, ' ').trim();
  return cut(clean.toWellFormed());
}

function cut(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= LONGEST) return text;
  // Stream mode leaves out a character that was cut in two.
  const head = new TextDecoder().decode(bytes.subarray(0, LONGEST - 3), { stream: true });
  return `${head}…`;
}
