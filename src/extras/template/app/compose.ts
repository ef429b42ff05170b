import { defineApp } from '../../../index.ts';
import { batch } from '../../batch/index.ts';
import { decisions } from '../../decisions/index.ts';
import { dev } from '../../dev/index.ts';
import { encryption } from '../../encryption/index.ts';
import { explain } from '../../explain/index.ts';
import { ledgerRedis } from '../../ledger-redis/index.ts';
import { logs } from '../../logs/index.ts';
import { maintenance } from '../../maintenance/index.ts';
import { metrics } from '../../metrics/index.ts';
import { operatorPage } from '../../operator-page/index.ts';
import { notify } from '../../notify/index.ts';
import { service } from '../../service/index.ts';
import { traces } from '../../traces/index.ts';
import { upgrade } from '../../upgrade/index.ts';
import { models } from './models.ts';
import { receivers } from './notices.ts';

/** What this program is made of. To leave an extra out, delete its line and its folder. */
export const app = defineApp({
  // In it are workflows and migrations of your own.
  folder: import.meta.dirname,
  // Loaded by the commands that need them.
  agents: async () => Object.values(await import('./agents/index.ts')),
  models,
  extras: [
    // One line each.
    explain,
    decisions,
    batch,
    maintenance,
    ledgerRedis,
    logs,
    service,
    operatorPage,
    encryption,
    metrics,
    traces,
    notify(receivers),
    dev(),
    upgrade,
  ],
});
