import { eventually } from '../../../../../test/support/eventually.ts';
import type { HttpSuite } from '../support/http-suite.ts';
import { calls, script } from '../../../../../test/support/system.ts';

/** Values that are worth trying, by operation and by parameter or member of the body. */
export type Worthwhile = Record<string, Record<string, unknown[]>>;

const DONE = script({ say: 'done' });
const FAILS = script(calls(['flaky', { failures: 9 }]), { fault: { kind: 'no-such-fault' } });
const WAITS = script(calls(['spend', { label: 'check', amount: 100 }]), { say: 'spent' });
const UNKNOWN = ['agent-tester-nobody', 'nonsense'];

/**
 * Starts runs of every kind, so that examples meet some: completed, failed, cancelled, shadow,
 * waiting and running ones. What ends a run, or makes its key new, has runs of its own.
 */
export async function seedRuns(suite: HttpSuite): Promise<Worthwhile> {
  const start = (kind: string, count: number, body: object): Promise<string[]> =>
    Promise.all(
      Array.from({ length: count }, async (_, i) => {
        const answer = await suite.start(`"${kind}-${i}"`, body);
        if (answer.status !== 202) throw new Error(`A run was not started: ${await answer.text()}`);
        return ((await answer.json()) as { id: string }).id;
      }),
    );
  suite.system.counter.hold('look:held');
  const completed = await start('completed', 4, { input: DONE });
  const shadow = await start('shadow', 1, { input: WAITS, options: { shadow: true } });
  const failed = await start('failed', 3, { input: FAILS });
  const forgettable = await start('forgettable', 20, { input: DONE });
  const waiting = await start('waiting', 3, { input: WAITS });
  const decidable = await start('decidable', 15, { input: WAITS });
  const running = await start('running', 2, {
    input: script(calls(['look', { label: 'held' }]), { say: 'looked' }),
  });
  const cancelled = await start('cancelled', 4, { input: WAITS });
  await reach(suite, [...completed, ...shadow, ...forgettable], 'completed');
  await reach(suite, failed, 'failed');
  await reach(suite, [...waiting, ...decidable, ...cancelled], 'waiting');
  await reach(suite, running, 'running');
  await cancel(suite, cancelled);
  await reach(suite, cancelled, 'cancelled');

  const ended = [...completed, ...shadow, ...failed, ...cancelled];
  const all = [...ended, ...waiting, ...running, ...UNKNOWN];
  const ends = await Promise.all(completed.map((id) => endOf(suite, id)));
  const agent = ['tester', 'windowed', 'nobody'];
  const prefer = ['respond-async', 'wait=0', 'wait=1'];
  return {
    startRun: {
      agent,
      'idempotency-key': [
        '"completed-0"',
        'waiting-0',
        '"running-1"',
        '"new-1"',
        'new-2',
        '"new-3"',
      ],
      prefer,
      input: [DONE, WAITS],
    },
    receiveEvent: {
      agent,
      prefer,
      'ce-specversion': ['1.0'],
      'ce-id': ['1', '2', '%C3%A9'],
      'ce-source': ['/shop', '/bank'],
      'ce-type': ['ordered'],
    },
    getRun: { id: all, prefer },
    listRuns: { agent, key: ['completed-0', 'waiting-1', 'nobody'], limit: [1, 2, 200] },
    explainRun: { id: all },
    // One that has not ended is followed for as long as it goes on.
    followRun: { id: [...ended, ...UNKNOWN], 'last-event-id': [...ends, 'nonsense'] },
    cancelRun: { id: [...completed, ...waiting, ...UNKNOWN] },
    resumeRun: { id: [...failed, ...cancelled, ...completed, ...UNKNOWN] },
    forgetRun: { id: [...forgettable, ...running, ...UNKNOWN] },
    decideStep: { id: [...decidable, ...completed, ...UNKNOWN], step: ['t1.c0'], round: [1] },
  };
}

/** The ID of a run's last event. */
async function endOf(suite: HttpSuite, id: string): Promise<string> {
  const { runId } = (await (await suite.send('GET', `/v1/runs/${id}`)).json()) as { runId: string };
  return `end/${runId}`;
}

async function cancel(suite: HttpSuite, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const answer = await suite.send('POST', `/v1/runs/${id}/cancel`);
    if (answer.status !== 202) throw new Error(`A run was not cancelled: ${await answer.text()}`);
  }
}

async function reach(suite: HttpSuite, ids: readonly string[], status: string): Promise<void> {
  for (const id of ids) {
    await eventually(async () => {
      const answer = (await (await suite.send('GET', `/v1/runs/${id}`)).json()) as object;
      if (!('status' in answer) || answer.status !== status) {
        throw new Error(`${id} is not ${status} but ${JSON.stringify(answer)}`);
      }
    });
  }
}
