import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { copyCheckout, ROOT } from './checkout-copy.ts';

/** What Temporal's sandbox does not have, or would make a replay differ. */
const FORBIDDEN = {
  process: 'process.pid',
  Buffer: "Buffer.from('')",
  fetch: "fetch('')",
  setImmediate: 'setImmediate',
  performance: 'performance.now()',
  crypto: 'crypto.randomUUID()',
} as const;

test('what only Node has is a compile error in workflows', () => {
  const files = Object.entries(FORBIDDEN).map(
    ([name, use]) => [`src/workflows/uses-${name}.ts`, `export const value = ${use};\n`] as const,
  );
  const copy = copyCheckout(
    ['tsconfig.json', 'package.json', 'src/workflows/tsconfig.json'],
    new Map([
      ...files,
      ['src/workflows/allowed.ts', `export { sleep } from '@temporalio/workflow';\n`],
    ]),
  );
  try {
    const { stdout, status } = spawnSync(
      join(ROOT, 'node_modules/.bin/tsc'),
      ['--noEmit', '-p', 'src/workflows'],
      { cwd: copy.folder, encoding: 'utf8' },
    );
    const complaints = [...stdout.matchAll(/^src\/workflows\/(\S+)\(.*Cannot find name '(\w+)'/gm)];
    expect(complaints.map(([, file, name]) => `${file} ${name}`).sort()).toEqual(
      Object.keys(FORBIDDEN)
        .map((name) => `uses-${name}.ts ${name}`)
        .sort(),
    );
    expect(status).not.toBe(0);
  } finally {
    copy.remove();
  }
});
