import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pc from 'picocolors';
import { withNextActions } from '../next-words.ts';
import { drawExplanation } from '../show-explanation.ts';
import { createContext } from '../../../client/context.ts';
import { collect } from '../collect.ts';
import { openLedgerReader } from '../../../ledger/open-ledger.ts';
import { eventually } from '../../../../test/support/eventually.ts';
import {
  calls,
  script,
  startTestSystem,
  type TestSystem,
} from '../../../../test/support/system.ts';
import { untilEnd } from '../../../../test/support/until-end.ts';
import { expectGolden } from './golden.ts';

let system: TestSystem;

const agent = 'tester';
/** Fixed: what is asked of the model, and so its size, changes with the agent's tools. */
const usage = { inputTokens: 1_000, outputTokens: 100 };
const byAnn = { step: 't1.c0', by: 'ann' };

beforeAll(async () => {
  system = await startTestSystem();
  await system.startWorker();
});
afterAll(() => system.close());

function asking(...call: Parameters<typeof calls>) {
  return script({ ...(calls(...call) as object), usage }, { say: 'ok', usage });
}

async function startWaiting(key: string, ...call: Parameters<typeof calls>) {
  await system.client.start({ agent, key, input: asking(...call) });
  await eventually(async () => {
    expect(await system.client.describe({ agent, key })).toMatchObject({ status: 'waiting' });
  });
}

function ended(key: string) {
  return untilEnd(system.client, { agent, key });
}

/** What the command prints, both outputs, as they are kept. */
async function expectStory(key: string, name = key) {
  const ledger = await openLedgerReader(system.env['LEDGER_URL'] ?? '');
  const context = createContext({ temporal: system.temporal });
  const urlOf = (id: string) => `http://ui.example/${id}`;
  try {
    const json = await collect({ context, ledger, urlOf }, { agent, key });
    expectGolden(`${name}.txt`, `${drawExplanation(pc.createColors(false), json)}\n`);
    expectGolden(`${name}.json`, `${JSON.stringify(withNextActions(json), null, 2)}\n`);
    return json;
  } finally {
    await ledger.close();
  }
}

test('waiting for approval: what for, and the commands that answer; then denied', async () => {
  await startWaiting('waiting-approval', ['spend', { label: 'a', amount: 100 }]);
  expect(await expectStory('waiting-approval')).toMatchObject({
    status: 'waiting',
    steps: [{}, { id: 't1.c0', state: 'planned', happened: 'no' }],
    questions: [{ step: 't1.c0', kind: 'approval', round: 1, waits: true, decision: null }],
  });
  const run = { agent, key: 'waiting-approval' };
  await system.client.decide(run, { ...byAnn, decision: 'deny', comment: 'too much' });
  await ended('waiting-approval');
  expect(await expectStory('waiting-approval', 'denied')).toMatchObject({
    steps: [{}, { knownBy: 'person', decidedBy: 'ann', decision: 'deny', happened: 'no' }, {}],
    usage: { toolCalls: 0, deniedCalls: 1 },
    notes: [],
    questions: [{ waits: false, decision: 'deny', by: 'ann', comment: 'too much' }],
  });
});

test('waiting to be told an outcome; left without an answer; then decided by a person', async () => {
  system.counter.drop('send:b');
  await startWaiting('waiting-outcome', ['send', { label: 'b' }]);
  expect(await expectStory('waiting-outcome')).toMatchObject({
    status: 'waiting',
    steps: [{}, { id: 't1.c0', state: 'unknown', happened: 'maybe' }],
    waiting: [{ step: 't1.c0', kind: 'outcome', error: expect.any(String) }],
  });
  const run = { agent, key: 'waiting-outcome' };
  await system.client.decide(run, { ...byAnn, decision: 'fail' });
  await ended('waiting-outcome');
  await expectStory('waiting-outcome', 'outcome-unknown');

  const input = asking(['send', { label: 'b' }]);
  await system.client.start({ ...run, input, retryFailed: true });
  await eventually(async () => {
    expect(await system.client.describe(run)).toMatchObject({ status: 'waiting' });
  });
  await system.client.decide(run, { ...byAnn, decision: 'happened', comment: 'seen there' });
  await ended('waiting-outcome');
  expect(await expectStory('waiting-outcome', 'decided-by-person')).toMatchObject({
    status: 'completed',
    steps: [{}, { knownBy: 'person', decidedBy: 'ann', happened: 'yes' }, {}],
    questions: [
      { round: 1, decision: 'fail', by: 'ann' },
      { round: 2, decision: 'happened', by: 'ann', comment: 'seen there' },
    ],
  });
});
