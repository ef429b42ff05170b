import type { Client } from '@temporalio/client';
import { connect } from '../src/client/connect.ts';
import { readConfig } from '../src/config.ts';
import { countsPart } from './counts-part.ts';
import { hasService, httpPart } from './http/http-part.ts';
import { laterParts } from './later-parts.ts';
import { describeMachine, loadNow, type Machine } from './machine.ts';
import type { BenchOptions, Part } from './options.ts';
import type { Report } from './report.ts';
import { runsPart } from './runs-part.ts';
import { startBenchServers, type BenchServers, type ServerOptions } from './servers.ts';
import { stormPart } from './storm/storm-part.ts';
import { waitingPart } from './waiting/waiting-part.ts';

/**
 * Measures ours and what it is compared with on servers of its own, in turns.
 *
 * @param tell is called with what is being done
 * @throws if one of them does not do the same as the other: then there is nothing to compare
 */
export async function runBench(
  options: BenchOptions,
  tell: (line: string) => void,
): Promise<Report> {
  const asked = (...parts: Part[]): boolean => parts.some((part) => options.parts.includes(part));
  const report: Omit<Report, 'machine'> = {
    measured: options,
    rows: [],
    http: null,
    counts: null,
    waiting: null,
    parts: [],
  };
  let machine: Omit<Machine, 'loadAfter'> | undefined;

  if (asked('runs', 'storm', 'http', 'long', 'many', 'ledger', 'recovery')) {
    machine = await onServers({}, tell, async (servers, temporal) => {
      if (asked('runs')) report.rows = await runsPart(servers, temporal, options, tell);
      if (asked('storm')) report.rows.push(...(await stormPart(servers, temporal, options, tell)));
      if (asked('http') && hasService())
        report.http = await httpPart(servers, temporal, options, tell);
      else if (asked('http')) tell('HTTP: there is no service here.');
      // Last: these have workers of their own.
      report.parts = await laterParts(servers, temporal, options, tell);
    });
  }
  if (asked('counts', 'waiting')) {
    const { modelSlots, toolSlots } = readConfig();
    const slots = modelSlots + toolSlots;
    const counting = { plainSlots: slots, countStatements: true };
    const described = await onServers(counting, tell, async (servers, temporal) => {
      if (asked('counts')) report.counts = await countsPart(servers, temporal, options, tell);
      if (asked('waiting'))
        report.waiting = await waitingPart(servers, temporal, options, slots, tell);
    });
    machine ??= described;
  }
  if (machine === undefined) throw new RangeError('No part was asked for.');
  return { machine: { ...machine, loadAfter: loadNow() }, ...report };
}

/** Starts the servers, does the work with them, and stops them. */
async function onServers(
  settings: ServerOptions,
  tell: (line: string) => void,
  work: (servers: BenchServers, temporal: Client) => Promise<void>,
): Promise<Omit<Machine, 'loadAfter'>> {
  tell('Starting Temporal, PostgreSQL, the model, the counter and two workers …');
  const servers = await startBenchServers(settings);
  try {
    Object.assign(process.env, {
      TEMPORAL_ADDRESS: servers.temporal,
      TEMPORAL_NAMESPACE: 'default',
    });
    const { temporal, close } = await connect();
    try {
      const machine = await describeMachine(temporal, servers.ledger);
      await work(servers, temporal);
      return machine;
    } finally {
      await close();
    }
  } finally {
    await servers.stop();
  }
}
