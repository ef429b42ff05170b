import { defineApp } from '../../../index.ts';
import { batch } from '../../batch/index.ts';
import { decisions } from '../../decisions/index.ts';
import { dev } from '../../dev/index.ts';
import { explain } from '../../explain/index.ts';
import { ledgerRedis } from '../../ledger-redis/index.ts';
import { maintenance } from '../../maintenance/index.ts';
import { service } from '../../service/index.ts';
import { upgrade } from '../../upgrade/index.ts';

/** What this program is made of. To leave an extra out, delete its line and its folder. */
export const app = defineApp({
  // Loaded by the commands that need them.
  agents: async () => [(await import('./agents/calendar.ts')).calendar],
  extras: [
    // One line each.
    explain,
    decisions,
    batch,
    maintenance,
    ledgerRedis,
    service,
    dev(),
    upgrade,
  ],
});
