import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../../../../test/support/eventually.ts';
import { startOwnTemporal, type OwnTemporal } from '../../../../test/support/own-temporal.ts';
import { requestsOf } from '../../../../test/support/requests-of.ts';
import { calls, script } from '../../../../test/support/system.ts';
import { startHttpSuite, type HttpSuite } from './support/http-suite.ts';

let own: OwnTemporal;
let suite: HttpSuite;

beforeAll(async () => {
  own = await startOwnTemporal();
  suite = await startHttpSuite();
  await suite.system.startWorker();
});
afterAll(async () => {
  await (suite as HttpSuite | undefined)?.close();
  await own.stop();
});

const POLLS = 'PollWorkflowExecutionHistory';
const LOOKS = 'DescribeWorkflowExecution';
const CALLERS = 20;

test('requests that wait for one run share its long poll, and the looks whether it asks somebody', async () => {
  const { temporal, counter } = suite.system;
  counter.hold('look:held');
  const body = { input: script(calls(['look', { label: 'held' }]), { say: 'done' }) };
  const started = await suite.start('"held"', body);
  const headers = { prefer: 'wait=55' };
  const before = await requestsOf(temporal);
  const waits = Array.from({ length: CALLERS }, (_, at) =>
    at % 2 === 0
      ? suite.start('"held"', body, { headers })
      : suite.send('GET', String(started.headers.get('location')), { headers }),
  );
  // Each looks which run is meant, some of them together; then two rounds of looks at its questions.
  const begun = await eventually(async () => {
    const requests = await requestsOf(temporal, before);
    expect(requests[POLLS]).toBeGreaterThanOrEqual(1);
    return requests[LOOKS] ?? 0;
  });
  const counted = await eventually(async () => {
    const requests = await requestsOf(temporal, before);
    expect(requests[LOOKS]).toBeGreaterThanOrEqual(begun + 2);
    return requests;
  });
  counter.letGo('look:held');
  for (const answer of await Promise.all(waits)) {
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ status: 'completed', result: 'done' });
  }
  expect(counted[POLLS]).toBeLessThan(CALLERS);
  expect(counted[LOOKS]).toBeLessThan(2 * CALLERS);
});
