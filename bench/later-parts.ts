import type { Client } from '@temporalio/client';
import { ledgerPart } from './ledger/ledger-part.ts';
import { longPart } from './long/long-part.ts';
import { manyPart } from './many/many-part.ts';
import type { BenchOptions } from './options.ts';
import type { PartReport } from './part-report.ts';
import { recoveryPart } from './recovery/recovery-part.ts';
import type { BenchServers } from './servers.ts';

const PARTS = { long: longPart, many: manyPart, ledger: ledgerPart, recovery: recoveryPart };

/** The parts that start workers of their own: those of the others are stopped. */
export async function laterParts(
  servers: BenchServers,
  temporal: Client,
  options: BenchOptions,
  tell: (line: string) => void,
): Promise<PartReport[]> {
  const wanted = Object.entries(PARTS).filter(([name]) =>
    options.parts.some((part) => part === name),
  );
  if (wanted.length > 0) await servers.stopWorkers();
  const reports: PartReport[] = [];
  for (const [, measure] of wanted) reports.push(await measure(servers, temporal, options, tell));
  return reports;
}
