import { expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.ts';
import { calls, script, startTestSystem } from '../../support/system.ts';
import { untilEnd } from '../../support/until-end.ts';

test('a killed owner’s call is made by who waits, under the same token; its own run gets that result', async () => {
  const other = await startTestSystem();
  try {
    const doomed = await other.startWorker({ AGENT_ONCE_FAULT: 'after-effect:ship' });
    const rescuer = await other.startWorker({ TEST_STANDBY: '1' });
    const input = script(calls(['ship', { label: 'killed', ms: 1_000 }]), { say: 'ok' });
    const first = await other.client.start({ agent: 'tester', input });
    await eventually(() => expect(other.counter.requests('ship:killed')).toBe(1));
    const second = await other.client.start({ agent: 'tester', input });
    expect(await doomed.untilEnded()).toBe('SIGKILL');
    rescuer.go();
    for (const run of [first, second]) {
      const view = await untilEnd(other.client, run);
      expect(view).toMatchObject({ status: 'completed' });
    }
    expect(other.counter.requests('ship:killed')).toBe(2);
    // What a server that honours idempotency keys has done, whichever run was the one to ask again.
    expect(other.counter.effects('ship:killed')).toBe(1);
  } finally {
    await other.close();
  }
});

test('whoever waits for a killed worker’s model call makes it, and is waited for in turn', async () => {
  const other = await startTestSystem();
  try {
    const doomed = await other.startWorker({ AGENT_ONCE_FAULT: 'after-effect:model' });
    const rescuer = await other.startWorker({ TEST_STANDBY: '1' });
    await fetch(new URL('/delay', other.model.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ms: 3_000 }),
    });
    const input = script({ say: 'ok' });
    const runs = [await other.client.start({ agent: 'thrifty', input })];
    await eventually(async () => expect((await other.modelRequests()).requests).toBe(1));
    for (let i = 0; i < 5; i++) runs.push(await other.client.start({ agent: 'thrifty', input }));
    expect(await doomed.untilEnded()).toBe('SIGKILL');
    rescuer.go();
    for (const run of runs) {
      const view = await untilEnd(other.client, run);
      expect(view).toMatchObject({ status: 'completed', result: 'ok' });
    }
    const { requests, byToken } = await other.modelRequests();
    expect(requests).toBe(2);
    // The second one says what it repeats.
    expect(Object.values(byToken)).toEqual([2]);
  } finally {
    await other.close();
  }
});

test('a worker that dies while it pretends a call asks nobody either', async () => {
  const other = await startTestSystem();
  try {
    const doomed = await other.startWorker({ AGENT_ONCE_FAULT: 'after-claim:send' });
    const next = await other.startWorker({ TEST_STANDBY: '1' });
    const run = await other.client.start({
      agent: 'tester',
      input: script(calls(['send', { label: 'died' }]), { say: 'ok' }),
      options: { shadow: true },
    });
    expect(await doomed.untilEnded()).toBe('SIGKILL');
    next.go();
    const view = await untilEnd(other.client, run);
    expect(view).toMatchObject({ status: 'completed', shadow: [{ tool: 'send' }] });
    expect(other.counter.requests('send:died')).toBe(0);
  } finally {
    await other.close();
  }
});
