/** A process with the HTTP service and the test agents; `service.ts` starts it. */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import pg from 'pg';
import { readConfig } from '../../../../config.ts';
import { runService } from '../../run-service.ts';
import { testAgents } from '../../../../../test/support/test-agents.ts';
import { app } from '../../../../app/compose.ts';
import '../../../../../test/support/use-app.ts';
import '../../pages.ts';

if (process.env['TEST_SHOW_COMPARISONS'] === '1') showComparisons();
const stopping = new AbortController();
process.on('SIGTERM', () => stopping.abort());
// The test that started it is gone: so is the reason to go on.
const orphaned = (): never => process.exit(1);
process.on('disconnect', orphaned);

await runService(readConfig(), {
  agents: testAgents,
  host: '127.0.0.1',
  port: 0,
  pages: app.extras.flatMap((extra) => extra.pages ?? []),
  open: process.env['TEST_OPEN'] === '1',
  signal: stopping.signal,
  onReady: ({ url }) => process.send?.(url),
});
process.off('disconnect', orphaned);
process.disconnect?.();

/** Writes a line for each query and each comparison in constant time, which are made all the same. */
function showComparisons(): void {
  const show = (line: string): void => void process.stderr.write(`seen: ${line}\n`);
  const { timingSafeEqual } = crypto;
  Object.assign(crypto, {
    timingSafeEqual(...both: Parameters<typeof timingSafeEqual>): boolean {
      show(`compare ${both.map(({ byteLength }) => byteLength).join(' with ')} bytes`);
      return timingSafeEqual(...both);
    },
  });
  syncBuiltinESMExports();
  const { query } = pg.Client.prototype;
  Object.assign(pg.Client.prototype, {
    query(this: pg.Client, ...args: [{ text?: string }]): unknown {
      show(`query ${args[0].text?.replaceAll(/\s+/g, ' ')}`);
      return Reflect.apply(query, this, args);
    },
  });
}
