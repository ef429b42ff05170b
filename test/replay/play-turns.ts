import { AgentOnceClient } from '../../src/client/agent-once-client.ts';
import { calls } from '../support/system.ts';
import { chatAnswer, NO_CREDIT, startThreeEndpoints } from '../support/three-endpoints.ts';
import { playToEnd, requestOf, untilEnd, untilRequested, type Play } from './play.ts';

const GOOD = { say: '{"verdict":"good","points":1,"note":""}' };

/** Runs that ask nobody. */
export const playTurns: Play = async (system, record) => {
  const { client, counter } = system;
  const worker = await system.startWorker();

  const completed = requestOf(
    'completed',
    calls(['look', { label: 'a' }], ['charge', { label: 'a' }]),
    calls(['note', { label: 'a' }]),
    { say: 'All done.', usage: { inputTokens: 100, outputTokens: 10 } },
  );
  await record('completed', await playToEnd(system, completed));

  const refused = requestOf(
    'refused-calls',
    {
      calls: [
        { name: 'no_such_tool', arguments: {} },
        { name: 'charge', arguments: { label: 7 } },
        { name: 'charge', arguments: '{"label":' },
      ],
    },
    calls(
      ['charge', { label: 'twin' }],
      ['charge', { label: 'twin' }],
      ['charge', { label: 'other' }],
    ),
    { say: 'ok' },
  );
  await record('refused-calls', await playToEnd(system, refused));

  const repaired = requestOf('repaired', calls(['look', { label: 'r' }]), { say: 'Good.' }, GOOD);
  await record('repaired', await playToEnd(system, { ...repaired, agent: 'assessor' }));

  counter.hold('look:held');
  const working = requestOf('working', calls(['look', { label: 'held' }]), { say: 'ok' });
  const started = await client.start(working);
  await untilRequested(system, 'look:held');
  await record('working', started);
  counter.letGo('look:held');
  await untilEnd(system, working);

  const outOfQuota = requestOf('failed-out-of-quota', {
    say: 'never',
    fault: { kind: 'insufficient-quota' },
  });
  await record('failed-out-of-quota', await playToEnd(system, outOfQuota, 'failed'));

  const tooLong = requestOf(
    'failed-turn-limit',
    calls(['look', { label: 'one' }]),
    calls(['look', { label: 'two' }]),
    { say: 'late' },
  );
  await record(
    'failed-turn-limit',
    await playToEnd(system, { ...tooLong, agent: 'short' }, 'failed'),
  );

  counter.fail('charge:away');
  const failing = requestOf(
    'failed-tool',
    calls(['look', { label: 'before' }]),
    calls(['charge', { label: 'away' }]),
    { say: 'ok' },
  );
  await record('failed-tool', await playToEnd(system, failing, 'failed'));
  counter.heal('charge:away');
  await record('resumed', await playToEnd(system, { ...failing, retryFailed: true }));

  counter.fail('charge:limited');
  const limited = requestOf('resumed-with-limits', calls(['charge', { label: 'limited' }]), {
    say: 'ok',
  });
  await playToEnd(system, limited, 'failed');
  counter.heal('charge:limited');
  const resumed = {
    ...limited,
    options: { model: 'model-b' },
    limits: { maxTurns: 20, reasoningEffort: 'low' },
    retryFailed: true,
  };
  await record('resumed-with-limits', await playToEnd(system, resumed));

  const cancelled = requestOf('cancelled', calls(['endless', {}]), { say: 'never' });
  const running = await client.start(cancelled);
  await untilRequested(system, 'endless:begun');
  await client.cancel(cancelled);
  await untilEnd(system, cancelled, 'cancelled');
  await record('cancelled', running);

  const rehearsed = requestOf(
    'shadow',
    calls(['look', { label: 's' }], ['charge', { label: 's' }], ['send', { label: 's' }]),
    calls(['spend', { label: 's', amount: 100 }]),
    { say: 'ok' },
  );
  await record('shadow', await playToEnd(system, { ...rehearsed, options: { shadow: true } }));

  const careless = new AgentOnceClient({ temporal: system.temporal });
  const unknowing = requestOf('without-registry', calls(['look', { label: 'c' }]), { say: 'ok' });
  await record('without-registry', await playToEnd({ ...system, client: careless }, unknowing));

  const forgotten = requestOf('new-after-forgotten', calls(['charge', { label: 'f' }]), {
    say: 'ok',
  });
  await playToEnd(system, forgotten);
  await client.forget(forgotten);
  await record('new-after-forgotten', await playToEnd(system, forgotten));

  await worker.stop();

  const models = await startThreeEndpoints();
  try {
    models.first.reply(402, NO_CREDIT);
    models.second.reply(200, chatAnswer('ok'));
    const others = await system.startWorker(models.env);
    const fellBack = { ...requestOf('fell-back'), agent: 'cautious', input: 'hello' };
    await record('fell-back', await playToEnd(system, fellBack));
    await others.stop();
  } finally {
    await models.stop();
  }
};
