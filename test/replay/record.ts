/**
 * `npm run record-histories -- VERSION`: plays runs of every kind on a real Temporal server, with a
 * real PostgreSQL, a scripted model and real workers, and writes their histories into
 * `test/replay/histories/VERSION`. VERSION is that of `package.json` unless it is given. A folder
 * that is there already is left as it is: recorded histories are never replaced.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Client } from '@temporalio/client';
import globalSetup from '../support/global-setup.ts';
import globalTeardown from '../support/global-teardown.ts';
import { playAll } from './play-all.ts';
import type { Execution } from './play.ts';
import { toProtoJson } from './proto-json.ts';
import { HISTORIES, kindsOf, VERSIONS, type Kind, type RecordedHistory } from './recorded.ts';
import { withoutMachine } from './without-machine.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

const version = process.argv[2] ?? (await versionOfPackage());
const folder = path.join(HISTORIES, version);
if (existsSync(folder)) {
  fail(
    `${path.relative(ROOT, folder)} is there already. Give another version: recorded histories are never replaced.`,
  );
} else if (!VERSIONS.includes(version)) {
  fail(`Add '${version}' to VERSIONS in test/replay/recorded.ts first.`);
} else {
  await recordAll().catch((error: unknown) => {
    fail(error instanceof Error ? error.message : String(error));
  });
}

async function recordAll(): Promise<void> {
  // Moved to its place when it is complete.
  const partial = path.join(ROOT, '.cache', `histories-${version}`);
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  const recorded = new Set<Kind>();
  const record = async (temporal: Client, kind: Kind, execution: Execution): Promise<void> => {
    const history = await fetchHistory(temporal, execution);
    await writeFile(path.join(partial, `${kind}.json`), `${JSON.stringify(history, null, 2)}\n`);
    recorded.add(kind);
    say(`${kind}: ${history.events.length} events`);
  };
  try {
    await globalSetup();
    try {
      await playAll(record);
    } finally {
      await globalTeardown();
    }
    const missing = kindsOf(version).filter(({ kind }) => !recorded.has(kind));
    if (missing.length > 0) {
      throw new Error(`Not recorded: ${missing.map(({ kind }) => kind).join(', ')}`);
    }
    await mkdir(HISTORIES, { recursive: true });
    await rename(partial, folder);
    say(`${recorded.size} histories are in ${path.relative(ROOT, folder)}.`);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function fetchHistory(
  temporal: Client,
  { workflowId, runId }: Execution,
): Promise<RecordedHistory> {
  const history = await temporal.workflow.getHandle(workflowId, runId).fetchHistory();
  return withoutMachine(toProtoJson(history)) as RecordedHistory;
}

async function versionOfPackage(): Promise<string> {
  const text = await readFile(path.join(ROOT, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function fail(message: string): void {
  say(message);
  process.exitCode = 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
