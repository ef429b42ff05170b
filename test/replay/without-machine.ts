import os from 'node:os';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** A host name has no characters but dots that mean something in a regular expression. */
const HOST = os.hostname().replaceAll('.', '\\.');
/** The process of a worker or a client, as Temporal and our ledger name it: `4711@host`. */
const PROCESS = new RegExp(`(\\d+@)${HOST}(?![\\w.])`, 'g');

/**
 * A history without what only says where it was recorded: host names, paths and stack traces. No
 * command of a workflow depends on them.
 */
export function withoutMachine(value: unknown): unknown {
  if (typeof value === 'string') return withoutNames(value);
  if (Array.isArray(value)) return value.map(withoutMachine);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== 'stackTrace')
      .map(([name, part]) => [
        name,
        name === 'data' && typeof part === 'string' ? insidePayload(part) : withoutMachine(part),
      ]),
  );
}

function withoutNames(text: string): string {
  return text.replaceAll(PROCESS, '$1worker').replaceAll(ROOT, '.');
}

/** A payload's bytes, which are JSON here. */
function insidePayload(base64: string): string {
  const text = Buffer.from(base64, 'base64').toString('utf8');
  const changed = withoutNames(text);
  return changed === text ? base64 : Buffer.from(changed, 'utf8').toString('base64');
}
