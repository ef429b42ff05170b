/** A worker process with the test agents; `system.ts` starts it and, in some tests, kills it. */
import { once } from 'node:events';
import { app } from '../../src/app/compose.ts';
import type { ModelEndpoints } from '../../src/contract/model-endpoint.ts';
import { reportError } from '../../src/cli/report-error.ts';
import { readConfig } from '../../src/config.ts';
import { PARTS } from '../../src/worker/create-workers.ts';
import { runWorker } from '../../src/worker/run-worker.ts';
import type { ExtendWorker } from '../../src/worker/worker-parts.ts';
import { inLane, withoutEffects } from './test-agents.ts';
import './use-app.ts';

const only = PARTS.find((part) => part === process.env['TEST_ONLY']);
const stopping = new AbortController();
process.on('SIGTERM', () => stopping.abort());
// The test that started it is gone: so is the reason to go on.
const orphaned = (): never => process.exit(1);
process.on('disconnect', orphaned);

if (process.env['TEST_STANDBY'] === '1') {
  process.send?.('standing by');
  const [env] = (await once(process, 'message')) as [Record<string, string>];
  Object.assign(process.env, env);
}
/** Each of the names, in turn, signs what the model answers. */
const signers = (process.env['TEST_SIGNED_BY'] ?? '').split(',').filter((name) => name !== '');
const extend = signers.map((name): ExtendWorker => ({ model, ...parts }) => ({
  ...parts,
  model: {
    ...model,
    async complete(request, context) {
      const reply = await model.complete(request, context);
      return { ...reply, content: `${reply.content}, ${name}` };
    },
  },
}));
if (process.env['TEST_TELL_READS'] === '1') {
  extend.push(({ ledger, ...parts }) => ({
    ...parts,
    ledger: {
      ...ledger,
      earlier(scope, before, from = 1) {
        process.stdout.write(`reads turns ${from} to ${before - 1}\n`);
        return ledger.earlier(scope, before, from);
      },
    },
  }));
}
const own = process.env['TEST_OWN_APP'] === '1' ? await import('./own-app/app.ts') : undefined;
const agents = inLane(withoutEffects((process.env['TEST_WITHOUT_EFFECTS'] ?? '').split(',')));
const running = runWorker(readConfig(), {
  ...own,
  agents: [...agents, ...(own?.agents ?? [])],
  graceMs: Number(process.env['TEST_GRACE_MS'] ?? 10_000),
  signal: stopping.signal,
  extend,
  runtime: app.extras.flatMap(({ runtime }) => runtime ?? []),
  models: JSON.parse(process.env['TEST_MODELS'] ?? '{}') as ModelEndpoints,
  ...(only === undefined ? {} : { only }),
  onReady: () => process.send?.('ready'),
});
try {
  await running;
} catch (error) {
  // As the command does.
  process.exit(reportError(error, []));
}
process.off('disconnect', orphaned);
process.disconnect?.();
