import { spawnSync } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { makeFolder } from '../processes.ts';
import { ROOT } from '../../../../../test/structure/checkout-copy.ts';

let folder: string;
let remove: () => Promise<void>;
beforeEach(async () => {
  ({ folder, remove } = await makeFolder());
});
afterEach(() => remove());

async function program(name: string): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, '#!/bin/sh\n');
  await chmod(file, 0o755);
  return file;
}

describe('installing what `npm run test:all` needs', () => {
  const install = (chromium: string) =>
    spawnSync(
      process.execPath,
      ['--import', './bin/register-typescript.js', 'scripts/install-for-all.ts'],
      { cwd: ROOT, encoding: 'utf8', env: { ...process.env, CHROMIUM_PATH: chromium } },
    );

  test('says and does nothing where all is there', async () => {
    const { status, stdout, stderr } = install(await program('chromium'));
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test('fails on a wrong CHROMIUM_PATH and installs nothing', () => {
    const { status, stderr } = install(path.join(folder, 'none'));
    expect(status).toBe(1);
    expect(stderr).toMatch(/^CHROMIUM_PATH is set, but is not an executable file/);
  });
});
