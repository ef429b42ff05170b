import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Client } from '@temporalio/client';
import { startTemporalServer } from '../../src/extras/dev/temporal-server.ts';
import { startTestSystem } from '../support/system.ts';
import { playContinuing } from './play-continuing.ts';
import { playAllFast, playFastLane } from './play-fast-lane.ts';
import { playMaintenance } from './play-maintenance.ts';
import { playQuestions } from './play-questions.ts';
import { playTurns } from './play-turns.ts';
import { playVersions } from './play-versions.ts';
import type { Execution, Play } from './play.ts';
import type { Kind } from './recorded.ts';

/** Records an execution of one of the server's workflows. */
type RecordOn = (temporal: Client, kind: Kind, execution: Execution) => Promise<void>;

/** Plays runs of all kinds. */
export async function playAll(record: RecordOn): Promise<void> {
  await inSystem(record, async (system, here) => {
    await playTurns(system, here);
    await playQuestions(system, here);
    // Last: it makes everything that is in the ledger look old.
    await playMaintenance(system, here);
  });
  await withVariable('TEST_LANE', 'fast', async () => {
    await inSystem(record, playFastLane);
    await withVariable('TEST_MODEL_LANE', 'fast', () => inSystem(record, playAllFast));
  });
  await withImpatientServer(async () => {
    await inSystem(record, playContinuing);
    await inSystem(record, playVersions);
  });
}

async function inSystem(record: RecordOn, play: Play): Promise<void> {
  const system = await startTestSystem();
  try {
    await play(system, (kind, execution) => record(system.temporal, kind, execution));
  } finally {
    await system.close();
  }
}

/** With a server that asks for continue-as-new after a few turns. */
async function withImpatientServer(use: () => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'agent-once-record-'));
  await chmod(folder, 0o755);
  try {
    const server = await startTemporalServer({
      logFile: path.join(folder, 'temporal.log'),
      dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 30 },
    });
    try {
      await withVariable('TEST_TEMPORAL_ADDRESS', server.address, use);
    } finally {
      await server.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function withVariable(name: string, value: string, use: () => Promise<void>): Promise<void> {
  const before = process.env[name];
  process.env[name] = value;
  try {
    await use();
  } finally {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  }
}
