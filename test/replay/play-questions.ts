import type { TestSystem } from '../support/system.ts';
import { calls } from '../support/system.ts';
import {
  playToEnd,
  requestOf,
  untilAsked,
  untilEnd,
  untilRequested,
  type Play,
  type RecordExecution,
} from './play.ts';
import type { Kind } from './recorded.ts';

/** The step that all these runs ask about. */
const STEP = 't1.c0';
const BY = { by: 'ann', comment: 'as agreed' };

/** Runs that ask people. */
export const playQuestions: Play = async (system, record) => {
  const worker = await system.startWorker();
  await playApprovals(system, record);
  await playOutcomes(system, record);
  await playTwoQuestions(system, record);
  await worker.stop();
  await playDeadline(system, record);
  await playLateAttempt(system, record);
};

const spending = (kind: Kind) =>
  requestOf(kind, calls(['spend', { label: kind, amount: 100 }]), { say: 'ok' });
const sending = (kind: Kind) => requestOf(kind, calls(['send', { label: kind }]), { say: 'ok' });

async function playApprovals(system: TestSystem, record: RecordExecution): Promise<void> {
  const { client } = system;
  const waiting = spending('waiting-approval');
  const open = await client.start(waiting);
  await untilAsked(system, waiting, STEP);
  await record('waiting-approval', open);

  for (const [kind, decision] of [
    ['approved', 'approve'],
    ['denied', 'deny'],
  ] as const) {
    const request = spending(kind);
    const started = await client.start(request);
    await untilAsked(system, request, STEP);
    await client.decide(request, { step: STEP, decision, ...BY });
    await untilEnd(system, request);
    await record(kind, started);
  }

  const label = 'approved-edited';
  const call = calls(['pay', { label, amount: 300 }]);
  const edited = { ...requestOf(label, call, { say: 'ok' }), agent: 'editor' };
  const changed = await client.start(edited);
  await untilAsked(system, edited, STEP);
  const args = { label, amount: 200 };
  await client.decide(edited, { step: STEP, decision: 'approve', arguments: args, ...BY });
  await untilEnd(system, edited);
  await record(label, changed);

  const ended = spending('failed-by-answer');
  const toFail = await client.start(ended);
  await untilAsked(system, ended, STEP);
  await client.decide(ended, { step: STEP, decision: 'fail', ...BY });
  await untilEnd(system, ended, 'failed');
  await record('failed-by-answer', toFail);

  const cancelled = spending('cancelled-waiting');
  const asking = await client.start(cancelled);
  await untilAsked(system, cancelled, STEP);
  await client.cancel(cancelled);
  await untilEnd(system, cancelled, 'cancelled');
  await record('cancelled-waiting', asking);
}

async function playOutcomes(system: TestSystem, record: RecordExecution): Promise<void> {
  const { client, counter } = system;
  for (const [kind, decision] of [
    ['outcome-happened', 'happened'],
    ['outcome-did-not-happen', 'did-not-happen'],
  ] as const) {
    counter.drop(`send:${kind}`);
    const request = sending(kind);
    const started = await client.start(request);
    await untilAsked(system, request, STEP);
    await client.decide(request, { step: STEP, decision, ...BY });
    await untilEnd(system, request);
    await record(kind, started);
  }
}

/** Answered one after the other, the later one first. */
async function playTwoQuestions(system: TestSystem, record: RecordExecution): Promise<void> {
  const { client, counter } = system;
  const label = 'both';
  counter.drop(`send:${label}`);
  const request = requestOf(
    'two-questions',
    calls(['send', { label }], ['spend', { label, amount: 100 }]),
    { say: 'ok' },
  );
  const started = await client.start(request);
  await untilAsked(system, request, STEP, 't1.c1');
  await client.decide(request, { step: 't1.c1', decision: 'approve', ...BY });
  await untilRequested(system, `spend:${label}`);
  await untilAsked(system, request, STEP);
  await client.decide(request, { step: STEP, decision: 'happened', ...BY });
  await untilEnd(system, request);
  await record('two-questions', started);
}

async function playDeadline(system: TestSystem, record: RecordExecution): Promise<void> {
  const worker = await system.startWorker({ TEST_DEADLINE_SECONDS: '2' });
  await record('denied-by-deadline', await playToEnd(system, spending('denied-by-deadline')));
  system.counter.drop('send:failed-by-deadline');
  const unsettled = sending('failed-by-deadline');
  await record('failed-by-deadline', await playToEnd(system, unsettled, 'failed'));
  await worker.stop();
}

/** A worker is stopped with a call under way, and goes on when the run asks about that call. */
async function playLateAttempt(system: TestSystem, record: RecordExecution): Promise<void> {
  const request = sending('outcome-settled');
  const name = 'send:outcome-settled';
  system.counter.hold(name);
  const late = await system.startWorker();
  const started = await system.client.start(request);
  await untilRequested(system, name);
  process.kill(late.pid, 'SIGSTOP');
  const worker = await system.startWorker();
  await untilAsked(system, request, STEP);
  system.counter.letGo(name);
  process.kill(late.pid, 'SIGCONT');
  await untilEnd(system, request);
  await record('outcome-settled', started);
  await Promise.all([late.stop(), worker.stop()]);
}
