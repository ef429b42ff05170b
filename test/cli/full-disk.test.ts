import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { reportError } from '../../src/cli/report-error.ts';
import { within } from '../support/within.ts';

const BIN = fileURLToPath(new URL('../../bin/agent-once.js', import.meta.url));

/** Runs the command with a disk that is full as its stdout or stderr. */
async function onFullDisk(stream: 'stdout' | 'stderr', ...args: string[]) {
  const full = openSync('/dev/full', 'w');
  try {
    const child = spawn(process.execPath, [BIN, ...args], {
      stdio: stream === 'stdout' ? ['ignore', full, 'pipe'] : ['ignore', 'pipe', full],
    });
    const other = stream === 'stdout' ? child.stderr : child.stdout;
    const written = other ? text(other) : Promise.resolve('');
    const [code] = await within(once(child, 'close'), () => `agent-once ${args.join(' ')} ended`);
    return { code: code as number, written: await written };
  } finally {
    closeSync(full);
  }
}

test('a full disk behind stdout ends a command with a plain message and exit code 6', async () => {
  const { code, written } = await onFullDisk('stdout', '--version');
  expect(code).toBe(6);
  expect(written).toMatch(
    /^error The output cannot be written: the disk is full \(ENOSPC\)\. .*\n$/,
  );
});

test('a full disk behind stderr changes nothing of how a command ends', async () => {
  expect(await onFullDisk('stderr', '--version')).toMatchObject({
    code: 0,
    written: expect.stringMatching(/^\d/),
  });
  expect(await onFullDisk('stderr', 'strat')).toMatchObject({ code: 2 });
});

test('a reader who leaves is told nothing, and that is no error', async () => {
  const child = spawn(
    '/bin/bash',
    ['-c', '"$0" "$1" --help | true; echo "${PIPESTATUS[0]}"', process.execPath, BIN],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  expect(out).toBe('0\n');
  expect(err).toBe('');
});

test('a file that cannot be written is named with the reason, and is no defect of the program', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'agent-once-full-'));
  const said: string[] = [];
  const { write } = process.stderr;
  process.stderr.write = (line: string | Uint8Array) => said.push(String(line)) > 0;
  try {
    const failed = await writeFile('/dev/full', 'x').catch((error: unknown) => error);
    expect(reportError(failed, [])).toBe(6);
    const readOnly = Object.assign(new Error('EROFS: read-only file system'), {
      code: 'EROFS',
      syscall: 'mkdir',
      path: path.join(folder, '.cache'),
    });
    expect(reportError(readOnly, [])).toBe(6);
  } finally {
    process.stderr.write = write;
    await rm(folder, { recursive: true });
  }
  expect(said.join('')).toMatch(/the disk is full \(ENOSPC\).*disk\.failed/);
  expect(said.join('')).toMatch(
    /\.cache cannot be written: the disk is read-only \(EROFS\).*disk\.failed/,
  );
  expect(said.join('')).not.toMatch(/defect/);
});
