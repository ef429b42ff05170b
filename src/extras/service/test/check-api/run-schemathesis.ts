import path from 'node:path';
import { startChild } from '../../../dev/child-process.ts';
import type { Schemathesis } from './install-schemathesis.ts';
import type { Worthwhile } from './seed-runs.ts';

const CONFIG = path.join(import.meta.dirname, 'schemathesis.toml');

export interface SchemathesisOptions {
  /** URL of the OpenAPI document, and so of the service. */
  document: string;
  apiKey: string;
  worthwhile: Worthwhile;
  /** For schemathesis, besides ours. */
  args: readonly string[];
  /** Ends it early. */
  signal: AbortSignal;
}

/** Requests that were answered as the document says, and failures. */
export interface Counts {
  passed: number;
  failed: number;
}

/** Runs schemathesis and hands on what it prints. What it cannot count is one failure. */
export async function runSchemathesis(
  { command, args, env }: Schemathesis,
  options: SchemathesisOptions,
): Promise<Counts> {
  const { document, apiKey, worthwhile, signal } = options;
  const lines: string[] = [];
  const child = await startChild({
    part: 'schemathesis',
    command,
    args: [...args, '--config-file', CONFIG, 'run', document, ...options.args],
    // It resolves the hooks from there.
    cwd: path.dirname(CONFIG),
    env: {
      ...process.env,
      ...env,
      PYTHONDONTWRITEBYTECODE: '1',
      PYTHONUNBUFFERED: '1',
      CHECK_API_KEY: apiKey,
      CHECK_API_WORTHWHILE: JSON.stringify(worthwhile),
    },
    onLine: (line) => {
      lines.push(line);
      process.stdout.write(`${line}\n`);
    },
  });
  const stop = (): void => void child.stop();
  signal.addEventListener('abort', stop);
  const { code } = await child.exited;
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  const counts = countCases(lines.join('\n'));
  return code === 0 || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

/** Of `2034 generated, 2021 passed, 11 found 11 unique failures, 2 skipped`; parts may be missing. */
function countCases(output: string): Counts {
  const line = /^\s*\d+ generated.*$/m.exec(output)?.[0] ?? '';
  const count = (pattern: RegExp): number => Number(pattern.exec(line)?.[1] ?? 0);
  const generated = count(/(\d+) generated/);
  const failed = count(/(\d+) found/);
  return generated === 0 ? { passed: 0, failed: 1 } : { passed: generated - failed, failed };
}
