import { chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { AgentOnceError } from '../../contract/errors.ts';
import { readCommandLine, stopLeftover } from './leftover.ts';
import { canReach, type ServerUser } from './postgres-binaries.ts';

/** In the data folder, when the data themselves had to go somewhere else. */
const MOVED = 'MOVED_TO';
/** In that other place, where it belongs to. */
const MOVED_FROM = 'MOVED_FROM';
const PREFIX = 'agent-once-postgres-data-';

/**
 * Makes the folder for PostgreSQL's files and returns where it is. That is `dataDir`, unless the
 * server's user cannot go there (only as root): then a folder under /var/tmp, whose path is kept in
 * the file `MOVED_TO` in `dataDir`.
 *
 * @throws {AgentOnceError} `part.failed` if the user can go nowhere.
 */
export async function prepareDataFolder(
  dataDir: string,
  user: ServerUser,
  log?: (line: string) => void,
): Promise<string> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  if (user.uid === undefined || user.gid === undefined) return dataDir;
  const note = path.join(dataDir, MOVED);
  const moved = (await readFile(note, 'utf8').catch(() => '')).trim();
  if (moved !== '' && existsSync(moved) && canReach(user, moved, 'w')) return moved;

  if (moved === '') await chown(dataDir, user.uid, user.gid);
  if (moved === '' && canReach(user, dataDir, 'w')) return dataDir;
  for (const parent of ['/var/tmp', '/tmp']) {
    if (!existsSync(parent) || !canReach(user, parent, 'w')) continue;
    await removeAbandoned(parent);
    const folder = await mkdtemp(path.join(parent, PREFIX));
    await chown(folder, user.uid, user.gid);
    await writeFile(note, `${folder}\n`);
    // After the note: a folder that says where it belongs, unconfirmed by a note, is abandoned.
    await writeFile(path.join(folder, MOVED_FROM), `${dataDir}\n`);
    log?.(`the user postgres cannot enter ${dataDir}: its data are in ${folder}`);
    return folder;
  }
  throw new AgentOnceError(
    'part.failed',
    `PostgreSQL does not run as root, and its user \`postgres\` cannot enter ${dataDir}. Choose a ` +
      'folder that other users may enter (--data-dir), or run this command as an ordinary user.',
  );
}

/** Removes data that were moved here from data folders that have been deleted since. */
async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent).catch((): string[] => [])) {
    if (!name.startsWith(PREFIX)) continue;
    const folder = path.join(parent, name);
    const from = (await readFile(path.join(folder, MOVED_FROM), 'utf8').catch(() => '')).trim();
    if (from === '') continue;
    const note = await readFile(path.join(from, MOVED), 'utf8').catch(() => '');
    if (note.trim() === folder) continue;
    await stopLeftoverPostgres(path.join(folder, 'data'));
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Ends a server that a killed parent left on this data folder, and removes a stale pid file, which
 * would stop the next one if its number belongs to another process by now.
 */
export async function stopLeftoverPostgres(
  folder: string,
  log?: (line: string) => void,
): Promise<void> {
  const pidFile = path.join(folder, 'postmaster.pid');
  const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n')[0]);
  if (pid === 0 || Number.isNaN(pid)) return;
  // Fast shutdown first, then immediate, then by force.
  if (await stopLeftover(pid, folder, ['SIGINT', 'SIGQUIT', 'SIGKILL'])) {
    log?.(`stopped a leftover PostgreSQL (${pid})`);
  }
  if (!(await readCommandLine(pid))?.includes(folder)) await rm(pidFile, { force: true });
}
