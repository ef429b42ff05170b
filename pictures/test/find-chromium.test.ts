import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { findChromium } from '../../test/support/browser/find-chromium.ts';
import { makeFolder } from '../../src/extras/dev/test/processes.ts';

let folder: string;
let remove: () => Promise<void>;
beforeEach(async () => {
  ({ folder, remove } = await makeFolder());
});
afterEach(() => remove());

async function program(...names: string[]): Promise<string> {
  const file = path.join(folder, ...names);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, '#!/bin/sh\n');
  await chmod(file, 0o755);
  return file;
}

describe('finding Chromium', () => {
  const places = (configured?: string) => ({
    configured,
    searchPath: [path.join(folder, 'empty'), path.join(folder, 'path')].join(path.delimiter),
    files: [path.join(folder, 'usual', 'Chromium')],
  });

  test('CHROMIUM_PATH, the PATH, the usual places: in this order', async () => {
    expect(await findChromium(places())).toBeUndefined();
    const usual = await program('usual', 'Chromium');
    expect(await findChromium(places())).toBe(usual);
    const chrome = await program('path', 'google-chrome');
    expect(await findChromium(places())).toBe(chrome);
    const chromium = await program('path', 'chromium');
    expect(await findChromium(places())).toBe(chromium);
    const configured = await program('mine', 'my-chrome');
    expect(await findChromium(places(configured))).toBe(configured);
  });

  test('a file that cannot be executed is passed over', async () => {
    await chmod(await program('path', 'chromium'), 0o644);
    const usual = await program('usual', 'Chromium');
    expect(await findChromium(places())).toBe(usual);
  });

  test('a wrong CHROMIUM_PATH is an error, not a reason to take another program', async () => {
    await program('path', 'chromium');
    await expect(findChromium(places(path.join(folder, 'none')))).rejects.toMatchObject({
      code: 'config.invalid',
      message: expect.stringContaining('CHROMIUM_PATH'),
    });
  });
});
