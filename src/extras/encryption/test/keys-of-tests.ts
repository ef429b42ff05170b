import { createHash } from 'node:crypto';

/** An entry of `AGENT_ONCE_ENCRYPTION_KEYS`, the same for the same ID. */
export function keyOf(id: string, seed = id): string {
  return `${id}:${createHash('sha256').update(`a key of a test ${seed}`).digest('base64')}`;
}

/** The setting, for the processes of a test. */
export function withKeys(...entries: string[]): Record<string, string> {
  return { AGENT_ONCE_ENCRYPTION_KEYS: entries.join(',') };
}
