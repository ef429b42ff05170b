import { connect } from '../src/client/connect.ts';
import { hasService, httpPart } from './http/http-part.ts';
import { laterParts } from './later-parts.ts';
import { describeMachine, loadNow } from './machine.ts';
import type { BenchOptions } from './options.ts';
import type { Report } from './report.ts';
import { runsPart } from './runs-part.ts';
import { startBenchServers } from './servers.ts';

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
  tell('Starting Temporal, PostgreSQL, the model, the counter and two workers …');
  const servers = await startBenchServers();
  try {
    Object.assign(process.env, {
      TEMPORAL_ADDRESS: servers.temporal,
      TEMPORAL_NAMESPACE: 'default',
    });
    const { temporal, close } = await connect();
    try {
      const machine = await describeMachine(temporal, servers.ledger);
      const runs = options.parts.includes('runs');
      // Last: it stops the workers.
      const http = options.parts.includes('http') && hasService();
      if (options.parts.includes('http') && !http) tell('HTTP: there is no service here.');
      const rows = runs ? await runsPart(servers, temporal, options, tell) : [];
      const report = http ? await httpPart(servers, temporal, options, tell) : null;
      const parts = await laterParts(servers, temporal, options, tell);
      return {
        machine: { ...machine, loadAfter: loadNow() },
        measured: options,
        rows,
        http: report,
        parts,
      };
    } finally {
      await close();
    }
  } finally {
    await servers.stop();
  }
}
