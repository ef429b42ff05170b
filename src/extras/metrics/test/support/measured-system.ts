import { eventually } from '../../../../../test/support/eventually.ts';
import {
  calls,
  script,
  startTestSystem,
  type TestSystem,
} from '../../../../../test/support/system.ts';
import { startMeasured, type MeasuredProcess } from './process.ts';

/** A worker and a service, both processes of the command, after runs of each kind. */
export interface MeasuredSystem {
  system: TestSystem;
  worker: MeasuredProcess;
  service: MeasuredProcess;
  /** A start by HTTP; its status. */
  start(key: string, input: unknown, agent?: string, model?: string): Promise<number>;
  close(): Promise<void>;
}

export const USAGE = {
  inputTokens: 10_000,
  cachedInputTokens: 9_000,
  outputTokens: 100,
  reasoningTokens: 60,
};
/** Must be in no label. */
export const SECRET_KEY = 'sk-live-4f9a8c';

export async function startMeasuredSystem(): Promise<MeasuredSystem> {
  const system = await startTestSystem();
  const worker = startMeasured(['worker'], system.env);
  const service = startMeasured(['serve', '--open', '--port', '0'], system.env);
  const close = async (): Promise<void> => {
    await Promise.all([worker.stop(), service.stop()]);
    await system.close();
  };
  const ready = Promise.all([
    service.told(/The service is ready: (http:\S+\d)/),
    worker.told(/Worker \d+ is (ready)/),
  ]);
  const [url] = await ready.catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const start: MeasuredSystem['start'] = async (key, input, agent = 'tester', model?) => {
    const response = await fetch(`${url}/v1/agents/${agent}/runs`, {
      method: 'POST',
      headers: { 'idempotency-key': JSON.stringify(key), 'content-type': 'application/json' },
      body: JSON.stringify({ input, ...(model === undefined ? {} : { options: { model } }) }),
    });
    await response.arrayBuffer();
    return response.status;
  };
  return {
    system,
    worker,
    service,
    start,
    close,
  };
}

/** Makes runs of each kind, and waits until each has ended or waits for a person. */
export async function makeRuns({ system, start }: MeasuredSystem): Promise<void> {
  const { client } = system;
  const end = (key: string, agent = 'tester') => client.result({ agent, key });
  const waits = (key: string, kind: string) =>
    eventually(async () => {
      const { waiting } = await client.describe({ agent: 'tester', key });
      if (waiting[0]?.kind !== kind) throw new Error(`It does not wait for ${kind} yet.`);
    });
  const many = calls(
    ['look', { label: 'a' }],
    ['charge', { label: 'b' }],
    ['note', { label: 'c' }],
  );
  const play = script(many, { say: 'ok' });

  await start(SECRET_KEY, play);
  await end(SECRET_KEY);
  await start(SECRET_KEY, play);
  await start(SECRET_KEY, 'another request');
  const asks = script(calls(['spend', { label: 'x', amount: 100 }]), { say: 'ok' });
  await start('approval', asks);
  await waits('approval', 'approval');
  await start('approval', asks);
  await client.start({ tenant: 'acme', agent: 'tester', key: 'approval', input: asks });
  await start('unknown', script(calls(['send', { label: 'unspeakable' }]), { say: 'ok' }));
  await waits('unknown', 'outcome');
  const breaks = { say: 'ok', fault: { kind: 'break', times: 1 } };
  await start('flaky', script(calls(['flaky', { failures: 1 }]), breaks));
  await end('flaky');
  const asksOnce = { ...(calls(['look', { label: 'd' }]) as object), usage: USAGE };
  await start('priced', script(asksOnce, { say: 'ok', usage: USAGE }), 'thrifty', 'gpt-5.2');
  await end('priced', 'thrifty');
  await start('nobody', 'x', 'nobody');
  // Two turns are not enough; what was recorded counts when it is resumed.
  const look = (label: string) => calls(['look', { label }]);
  const long = script(look('1'), look('2'), { say: 'ok' });
  await start('limit', long, 'short');
  await end('limit', 'short');
  await client.resume({ agent: 'short', key: 'limit' }, { limits: { maxTurns: 4 } });
  await end('limit', 'short');
  await start('cancelled', script(calls(['endless', {}]), { say: 'ok' }));
  await eventually(() => {
    if (system.counter.requests('endless:begun') === 0) throw new Error('Not begun yet.');
  });
  await client.cancel({ agent: 'tester', key: 'cancelled' });
  await end('cancelled');
  // Temporal's index is late, and workers ask it once a minute.
  await eventually(async () => {
    const { runs } = await client.page({ status: 'waiting' }, { limit: 10 });
    if (runs.length !== 3) throw new Error('The index does not show all three runs yet.');
  });
}
