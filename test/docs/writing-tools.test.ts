import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { DEFAULT_TOOL_POLICY } from '../../src/contract/settings.ts';
import { copyCheckout, ROOT } from '../structure/checkout-copy.ts';

const text = readFileSync(join(ROOT, 'docs/writing-tools.md'), 'utf8');

test('the examples compile', () => {
  const blocks = [...text.matchAll(/^```ts\n\/\/ (\S+)\n([\s\S]*?)^```$/gm)];
  expect(blocks.length).toBeGreaterThan(2);
  const copy = copyCheckout(
    [
      'tsconfig.json',
      'package.json',
      'src/tools/define-tool.ts',
      'src/tools/not-applied.ts',
      'src/agents/define-agent.ts',
    ],
    new Map(blocks.map(([, path, code]) => [path ?? '', code ?? ''])),
  );
  try {
    cpSync(join(ROOT, 'src/contract'), join(copy.folder, 'src/contract'), { recursive: true });
    const { stdout } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['--noEmit'], {
      cwd: copy.folder,
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
  } finally {
    copy.remove();
  }
});

test('the times in the table are the ones in force', () => {
  const told = Object.fromEntries(
    [...text.matchAll(/^\| `([\w.]+)` +\| ([\d,]+) +\|/gm)].map(([, name, value]) => [
      name,
      Number(value?.replaceAll(',', '')),
    ]),
  );
  const { retry, ...times } = DEFAULT_TOOL_POLICY;
  const retries = Object.entries(retry).map(([name, value]) => [`retry.${name}`, value] as const);
  expect(told).toEqual({ ...times, ...Object.fromEntries(retries) });
});
