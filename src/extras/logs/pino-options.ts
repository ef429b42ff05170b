import os from 'node:os';
import type { LoggerOptions } from 'pino';
import { describeEntry, type Describing, type Fields } from './describe-entry.ts';

/** What lines look like, whichever part of the program writes them. */
export function pinoOptions(part: string, level: string, describing: Describing): LoggerOptions {
  return {
    level,
    base: { part, pid: process.pid, hostname: os.hostname() },
    timestamp: false,
    // What an entry brings along wins: some of them are written a moment later.
    mixin: () => ({ time: new Date().toISOString() }),
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: (described: unknown) => described },
    hooks: {
      logMethod([first, second, ...rest], method) {
        const fields = fieldsOf(first);
        const message = typeof first === 'string' ? first : second;
        const [line, text] = describeEntry(fields, String(message ?? ''), describing);
        const more = typeof first === 'string' ? [second, ...rest] : rest;
        method.apply(this, [line, text, ...more] as never);
      },
    },
  };
}

function fieldsOf(first: unknown): Fields {
  if (first instanceof Error) return { err: first };
  return typeof first === 'object' && first !== null ? (first as Fields) : {};
}
