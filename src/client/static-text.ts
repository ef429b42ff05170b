import { isHashedKey } from '../contract/key.ts';
import type { CheckedRequest } from './check-request.ts';

/** Temporal UI draws tables without any space between the columns, and drops ordinary blanks. */
const GAP = '\u00a0\u00a0\u00a0';

/**
 * What Temporal UI shows of a run from its start on. Neither text holds the input, nor a key of
 * which the workflow ID has only the hash.
 */
export function describeStart({ run, settings, options }: CheckedRequest): {
  staticSummary: string;
  staticDetails: string;
} {
  const key = isHashedKey(run.keyInId) ? undefined : run.keyInId;
  const rows: [string, string | undefined][] = [
    ['agent', run.agent],
    ['tenant', run.tenant],
    ['key', key ?? 'not shown'],
    ['model', settings?.model ?? options?.model],
    ['shadow', options?.shadow ? 'yes: effects are recorded, not executed' : undefined],
    ['turns at most', settings?.maxTurns.toString()],
  ];
  const table = rows
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `| ${name}${GAP} | \`${value ?? ''}\` |`);
  return {
    staticSummary: key === undefined ? run.agent : `${run.agent} ${key}`,
    staticDetails: [
      '| | |',
      '| --- | --- |',
      ...table,
      '',
      'A start with the same key and input returns this run and starts no other.',
    ].join('\n'),
  };
}
