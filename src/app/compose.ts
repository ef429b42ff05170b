import { batch } from '../extras/batch/index.ts';
import { decisions } from '../extras/decisions/index.ts';
import { demo } from '../extras/demo/index.ts';
import { dev } from '../extras/dev/index.ts';
import { encryption } from '../extras/encryption/index.ts';
import { explain } from '../extras/explain/index.ts';
import { ledgerRedis } from '../extras/ledger-redis/index.ts';
import { logs } from '../extras/logs/index.ts';
import { maintenance } from '../extras/maintenance/index.ts';
import { metrics } from '../extras/metrics/index.ts';
import { operatorPage } from '../extras/operator-page/index.ts';
import { notify } from '../extras/notify/index.ts';
import { service } from '../extras/service/index.ts';
import { template } from '../extras/template/index.ts';
import { traces } from '../extras/traces/index.ts';
import { upgrade } from '../extras/upgrade/index.ts';
import { defineApp } from '../index.ts';
import { models } from './models.ts';
import { receivers } from './notices.ts';
import { shop } from './shop.ts';

/** What this program is made of. To leave an extra out, delete its line and its folder. */
export const app = defineApp({
  // In it are workflows and migrations of your own.
  folder: import.meta.dirname,
  // Loaded by the commands that need them.
  agents: async () => Object.values(await import('./agents/index.ts')),
  models,
  extras: [
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
    dev({ beside: [shop] }),
    demo({ beside: [shop] }),
    template,
    upgrade,
  ],
});
