import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { CACHE_DIR } from '../src/extras/dev/paths.ts';

/** Temporal's own server and what its image has beside it. */
export interface TemporalPrograms {
  server: string;
  sqlTool: string;
  /** What is `/etc/temporal/schema` in the image `temporalio/admin-tools`. */
  schema: string;
  /** What the image `temporalio/server` starts. */
  entrypoint: string;
}

/**
 * Finds the server of a version in this clone's cache folder, or builds it there from its Go module,
 * which takes some 5 to 12 minutes on two cores.
 *
 * @param version such as `1.32.0`
 * @throws {Error} there is no Go, or it could not build; the message says what to do
 */
export async function findTemporalPrograms(
  version: string,
  tell: (line: string) => void,
): Promise<TemporalPrograms> {
  const folder = path.join(CACHE_DIR, 'temporal-server', version);
  if (!existsSync(folder)) await build(version, folder, tell);
  return {
    server: path.join(folder, 'server'),
    sqlTool: path.join(folder, 'sql'),
    schema: path.join(folder, 'schema'),
    entrypoint: path.join(folder, 'entrypoint.sh'),
  };
}

async function build(version: string, folder: string, tell: (line: string) => void) {
  const module = `go.temporal.io/server`;
  const found = await findModule(`${module}@v${version}`);
  tell(
    `Building Temporal's server ${version} with Go, once: it is kept in ${path.relative(process.cwd(), folder)}. That takes 5 to 12 minutes …`,
  );
  await mkdir(path.dirname(folder), { recursive: true });
  // It appears under its name when it is whole.
  const partial = await mkdtemp(`${folder}-`);
  try {
    for (const program of ['cmd/tools/sql', 'cmd/server']) {
      await install(`${module}/${program}@v${version}`, partial);
    }
    await cp(path.join(found, 'schema'), path.join(partial, 'schema'), { recursive: true });
    await cp(
      path.join(found, 'docker/scripts/sh/entrypoint.sh'),
      path.join(partial, 'entrypoint.sh'),
    );
    // Go keeps its modules read-only, and whoever deletes the cache should not meet that.
    await promisify(execFile)('chmod', ['-R', 'u+w', partial]);
    await rename(partial, folder);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** @returns the folder of the module's files */
async function findModule(module: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', module], {
      maxBuffer: 2 ** 24,
    });
    return (JSON.parse(stdout) as { Dir: string }).Dir;
  } catch (cause) {
    const { code, stdout = '' } = cause as { code?: unknown; stdout?: string };
    if (code === 'ENOENT') {
      throw new Error(
        "Temporal's own server is built with Go, and there is no `go` on the PATH. Install Go 1.26 or later (https://go.dev/dl, or the package `golang`), and run this again. Everything else of this repository does without it.",
        { cause },
      );
    }
    throw new Error(`Go did not get ${module}: ${stdout.trim() || String(cause)}`, { cause });
  }
}

/** At the lowest priority: it takes minutes of all cores. */
async function install(program: string, folder: string): Promise<void> {
  const building = spawn('nice', ['-n', '15', 'go', 'install', program], {
    env: { ...process.env, GOBIN: folder },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const code = await new Promise((resolve, reject) => {
    building.once('error', reject).once('close', resolve);
  });
  if (code !== 0) throw new Error(`go install ${program} failed: its words are above.`);
}
