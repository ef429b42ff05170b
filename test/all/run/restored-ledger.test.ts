import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { RunView, StartRequest } from '../../../src/client/types.ts';
import type { LedgerKeeper } from '../../../src/ledger/keeper.ts';
import { openLedgerKeeper } from '../../../src/ledger/open-ledger.ts';
import { runCommand } from '../../support/cli.ts';
import { hasExtra } from '../../support/extras.ts';
import { createTestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { backUpLedger } from '../../support/ledger-backup.ts';
import { calls, script, startTestSystem, type TestSystem } from '../../support/system.ts';
import { untilEnd } from '../../support/until-end.ts';

let system: TestSystem;
let keeper: LedgerKeeper;

beforeEach(async () => {
  system = await startTestSystem();
  keeper = await openLedgerKeeper(system.env['LEDGER_URL'] ?? '');
});
afterEach(async () => {
  await keeper.close();
  await system.close();
});

const AGENT = 'tester';

async function started(key: string, ...answers: Parameters<typeof script>): Promise<StartRequest> {
  const request = { agent: AGENT, key, input: script(...answers) };
  await system.client.start(request);
  return request;
}

const endOf = (key: string): Promise<RunView> => untilEnd(system.client, { agent: AGENT, key });

const untilWaiting = (key: string): Promise<RunView> =>
  eventually(async () => {
    const view = await system.client.describe({ agent: AGENT, key });
    if (view.status !== 'waiting') throw new Error(`The run is ${view.status}`);
    return view;
  });

/** Waits until a step of the run was refused because of the ledger. */
const untilRefused = (key: string): Promise<void> =>
  eventually(async () => {
    const { raw } = await system.temporal.workflow.getHandle(`agent-${AGENT}-${key}`).describe();
    const failures = (raw.pendingActivities ?? []).map(
      ({ lastFailure }) => lastFailure?.applicationFailureInfo?.type,
    );
    expect(failures).toContain('ledger.restored');
  });

/** What `explain` says besides the facts. */
async function notesOf(key: string): Promise<string> {
  const { code, stdout } = await runCommand(['explain', AGENT, key, '--json'], system.env);
  expect(code).toBe(0);
  return (JSON.parse(stdout) as { notes: string[] }).notes.join('\n');
}

/** A run that failed in its second turn, after its first has had an effect. */
async function failedAfter(tool: 'send' | 'book', key: string): Promise<StartRequest> {
  system.counter.fail(`charge:${key}`);
  const label = { label: key };
  const request = await started(key, calls([tool, label]), calls(['charge', label]), { say: 'ok' });
  expect(await endOf(key)).toMatchObject({ status: 'failed', error: { code: 'tool.failed' } });
  expect(system.counter.requests(`${tool}:${key}`)).toBe(1);
  system.counter.heal(`charge:${key}`);
  return request;
}

describe('after the ledger was restored to an earlier state, a resume', () => {
  test('does nothing until somebody accepts that, and then asks about an effect at most once', async () => {
    await system.startWorker();
    const backup = await backUpLedger(system.sql);
    const request = await failedAfter('send', 'mail');
    await backup.restore();
    await system.client.start({ ...request, retryFailed: true });
    await untilRefused('mail');
    if (hasExtra('explain')) expect(await notesOf('mail')).toContain('What is missing was done');
    const { requests } = await system.modelRequests();
    expect(system.counter.requests('send:mail')).toBe(1);

    await keeper.acceptRestore();
    const { waiting } = await untilWaiting('mail');
    expect(waiting).toMatchObject([
      { step: 't1.c0', kind: 'outcome', worker: null, error: expect.stringContaining('restored') },
    ]);
    expect((await system.modelRequests()).requests).toBe(requests + 1);
    const answer = { step: 't1.c0', decision: 'happened', result: 'sent', by: 'ann' } as const;
    await system.client.decide({ agent: AGENT, key: 'mail' }, answer);
    expect(await endOf('mail')).toMatchObject({ status: 'completed', result: 'ok' });
    expect(system.counter.requests('send:mail')).toBe(1);
    expect(system.counter.effects('charge:mail')).toBe(1);
  });

  test('asks the other side first about what can be looked up', async () => {
    await system.startWorker();
    const backup = await backUpLedger(system.sql);
    const request = await failedAfter('book', 'room');
    await backup.restore();
    await keeper.acceptRestore();
    await system.client.start({ ...request, retryFailed: true });
    expect(await endOf('room')).toMatchObject({ status: 'completed', result: 'ok' });
    expect(system.counter.requests('book:room')).toBe(1);
  });
});

describe('after the ledger was restored to the state before a call, a resume', () => {
  /** Runs until a call was made and another failed; back then the model had just asked for both. */
  async function restoredBefore(tool: 'send' | 'book', key: string, after: 'same' | 'next') {
    await system.startWorker();
    const label = { label: key };
    system.counter.hold(`${tool}:${key}`);
    system.counter.fail(`charge:${key}`);
    const made: [string, { label: string }] = [tool, label];
    const request = await started(
      key,
      ...(after === 'same'
        ? [calls(made, ['charge', label])]
        : [calls(made), calls(['charge', label])]),
      { say: 'ok' },
    );
    await eventually(() => expect(system.counter.requests(`${tool}:${key}`)).toBe(1));
    const backup = await backUpLedger(system.sql);
    system.counter.letGo(`${tool}:${key}`);
    expect(await endOf(key)).toMatchObject({ status: 'failed', error: { code: 'tool.failed' } });
    system.counter.heal(`charge:${key}`);
    await backup.restore();
    await system.sql.query(`UPDATE agent_once.steps SET state = 'planned', fence = 0, attempts = 0,
      run_attempts = 0, nonce = NULL, lease_until = NULL, ledger = NULL, claimed_at = NULL,
      worker = NULL WHERE step = 't1.c0'`);
    await system.client.start({ ...request, retryFailed: true });
    return { request };
  }

  test.each(['same', 'next'] as const)(
    'does not repeat it, when the %s turn failed, until somebody has accepted that and said how it ended',
    async (after) => {
      const key = `turn-${after}`;
      await restoredBefore('send', key, after);
      await untilRefused(key);
      await keeper.acceptRestore();
      const { waiting } = await untilWaiting(key);
      expect(waiting).toMatchObject([{ step: 't1.c0', kind: 'outcome' }]);
      expect(system.counter.requests(`send:${key}`)).toBe(1);
      const answer = { step: 't1.c0', decision: 'happened', result: 'sent', by: 'ann' } as const;
      await system.client.decide({ agent: AGENT, key }, answer);
      expect(await endOf(key)).toMatchObject({ status: 'completed', result: 'ok' });
      expect(system.counter.requests(`send:${key}`)).toBe(1);
    },
  );

  test('does not repeat it either after a resume was terminated that had been refused', async () => {
    const { request } = await restoredBefore('send', 'ended', 'same');
    await untilRefused('ended');
    await system.temporal.workflow.getHandle(`agent-${AGENT}-ended`).terminate('stuck');
    await system.client.start({ ...request, retryFailed: true });
    await untilRefused('ended');
    expect(system.counter.requests('send:ended')).toBe(1);
  });

  test('looks it up before it is made again, once that is accepted', async () => {
    await restoredBefore('book', 'looked-up', 'same');
    await untilRefused('looked-up');
    await keeper.acceptRestore();
    expect(await endOf('looked-up')).toMatchObject({ status: 'completed' });
    expect(system.counter.requests('book:looked-up')).toBe(1);
  });
});

describe('an attempt of which nobody knows how it ended, in a ledger that has lost it', () => {
  const planned = `UPDATE agent_once.steps SET state = 'planned', fence = 0, attempts = 0,
    run_attempts = 0, nonce = NULL, lease_until = NULL, ledger = NULL, claimed_at = NULL,
    worker = NULL, errors = '[]' WHERE step = 't1.c0'`;

  async function inDoubt(key: string) {
    const worker = await system.startWorker();
    system.counter.drop(`send:${key}`);
    const request = await started(key, calls(['send', { label: key }]), { say: 'ok' });
    await untilWaiting(key);
    return { worker, request };
  }

  const answer = { step: 't1.c0', by: 'ann' } as const;

  test('is asked about again by a resume of the run that ended without an answer', async () => {
    const { request } = await inDoubt('unsaid');
    const run = { agent: AGENT, key: 'unsaid' };
    await system.client.decide(run, { ...answer, decision: 'fail' });
    expect(await endOf('unsaid')).toMatchObject({ error: { code: 'step.outcome_unknown' } });
    await system.sql.query(planned);
    await system.sql.query('DELETE FROM agent_once.questions');
    await system.client.start({ ...request, retryFailed: true });
    await untilRefused('unsaid');
    await keeper.acceptRestore();
    expect(await untilWaiting('unsaid')).toMatchObject({ waiting: [{ kind: 'outcome' }] });
    expect(system.counter.requests('send:unsaid')).toBe(1);
  });

  test('is not made again after an answer that the ledger has lost as well', async () => {
    await inDoubt('said');
    // The restore comes when the answer was taken, and the step is not claimed again yet.
    await system.sql.query(`CREATE FUNCTION forget_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      NEW.state = 'planned'; NEW.fence = 0; NEW.result = NULL; NEW.known_by = NULL;
      NEW.attempts = 0; NEW.run_attempts = 0; NEW.ledger = NULL; RETURN NEW; END $$`);
    await system.sql.query(`CREATE TRIGGER forget_it BEFORE UPDATE ON agent_once.steps FOR EACH ROW
      WHEN (OLD.state = 'unknown' AND NEW.state = 'completed') EXECUTE FUNCTION forget_it()`);
    const happened = { ...answer, decision: 'happened', result: 'sent' } as const;
    await system.client.decide({ agent: AGENT, key: 'said' }, happened);
    await untilRefused('said');
    expect(system.counter.requests('send:said')).toBe(1);
  });
});

test('an answer without its question is none, in a ledger that has all', async () => {
  await system.startWorker();
  await started('bare', calls(['spend', { label: 'bare', amount: 200 }]), { say: 'ok' });
  await untilWaiting('bare');
  const bare = { step: 't1.c0', decision: 'approve', by: 'ann' };
  const handle = system.temporal.workflow.getHandle(`agent-${AGENT}-bare`);
  expect(await handle.executeUpdate('decide', { args: [bare] })).toMatchObject({ outcome: 'none' });
});

test('a worker on a ledger that was closed asks nobody, and takes no answer', async () => {
  await system.startWorker();
  const run = { agent: AGENT, key: 'closed' };
  const approve = { step: 't1.c0', decision: 'approve', by: 'ann' } as const;
  await started('closed', calls(['spend', { label: 'closed', amount: 200 }]), { say: 'ok' });
  await untilWaiting('closed');
  await keeper.shut();
  await expect(system.client.decide(run, approve)).rejects.toMatchObject({
    code: 'ledger.restored',
  });
  await keeper.reopen();
  await system.client.decide(run, approve);
  expect(await endOf('closed')).toMatchObject({ status: 'completed' });
});

describe('a run that waits for a person while the ledger is restored', () => {
  const approve = { step: 't1.c0', decision: 'approve', by: 'ann' } as const;
  const spending = (key: string) =>
    started(key, calls(['spend', { label: key, amount: 200 }]), { say: 'ok' });

  test('says that the question is lost, and asks again once that is accepted', async () => {
    await system.startWorker();
    const run = { agent: AGENT, key: 'asked' };
    await spending('asked');
    await untilWaiting('asked');
    // As it was right before the run asked.
    await system.sql.query('DELETE FROM agent_once.questions');
    await expect(system.client.decide(run, approve)).rejects.toMatchObject({
      code: 'ledger.restored',
      message: expect.stringContaining('accept-restore'),
    });
    expect(await system.client.describe(run)).toMatchObject({ status: 'waiting' });

    await keeper.acceptRestore();
    await expect(system.client.decide(run, approve)).rejects.toMatchObject({
      code: 'decision.not_asked',
      message: expect.stringContaining('asks again'),
    });
    await eventually(async () => {
      expect(await system.client.decide(run, approve)).toMatchObject({ outcome: 'recorded' });
    });
    expect(await endOf('asked')).toMatchObject({ status: 'completed' });
    expect(system.counter.requests('spend:asked')).toBe(1);
  });

  test('fails once it is accepted that its calls are lost too, and a resume asks for them anew', async () => {
    await system.startWorker();
    const run = { agent: AGENT, key: 'gone' };
    const backup = await backUpLedger(system.sql);
    const request = await spending('gone');
    await untilWaiting('gone');
    await backup.restore();
    await keeper.acceptRestore();
    await expect(system.client.decide(run, approve)).rejects.toMatchObject({
      code: 'decision.not_asked',
    });
    expect(await endOf('gone')).toMatchObject({
      status: 'failed',
      error: { code: 'ledger.restored', message: expect.stringContaining('Resume the run') },
    });
    await system.client.start({ ...request, retryFailed: true });
    await untilWaiting('gone');
    await system.client.decide(run, approve);
    expect(await endOf('gone')).toMatchObject({ status: 'completed' });
    expect(system.counter.requests('spend:gone')).toBe(1);
  });
});

test('a worker on another ledger does nothing for a run that has begun', async () => {
  const right = await system.startWorker();
  const run = { agent: AGENT, key: 'astray' };
  const label = { label: 'astray' };
  system.counter.drop('send:astray');
  await started('astray', calls(['send', label]), calls(['charge', label]), { say: 'ok' });
  await untilWaiting('astray');
  await right.stop();

  const other = await createTestDatabase();
  const wrong = await system.startWorker({ LEDGER_URL: other.url });
  const answer = { step: 't1.c0', decision: 'did-not-happen', by: 'ann' } as const;
  await expect(system.client.decide(run, answer)).rejects.toMatchObject({
    code: 'ledger.restored',
    message: expect.stringContaining(`--lost ${(await keeper.identity()).id}`),
  });
  await wrong.kill();
  await system.startWorker();
  await system.client.decide(run, answer);
  expect(await endOf('astray')).toMatchObject({ status: 'completed' });
  expect(system.counter.requests('send:astray')).toBe(2);
  await other.drop();
});

test('an attempt whose claim the ledger has lost is not made again unasked', async () => {
  const first = await system.startWorker({ TEST_HEARTBEAT_MS: '1000' });
  system.counter.hold('send:lost');
  await started('lost', calls(['send', { label: 'lost' }]), { say: 'ok' });
  const planned = `UPDATE agent_once.steps SET state = 'planned', fence = 0, attempts = 0,
    run_attempts = 0, nonce = NULL, lease_until = NULL, ledger = NULL WHERE step = 't1.c0'`;
  await eventually(() => expect(system.counter.requests('send:lost')).toBe(1));
  await first.kill();
  await system.sql.query(planned);
  await system.startWorker({ TEST_HEARTBEAT_MS: '1000' });
  await untilRefused('lost');
  expect(system.counter.requests('send:lost')).toBe(1);

  await keeper.acceptRestore();
  expect((await untilWaiting('lost')).waiting).toMatchObject([{ kind: 'outcome' }]);
  expect(system.counter.requests('send:lost')).toBe(1);
});

test('a worker whose ledger was restored says so, and ends when nobody mends that', async () => {
  await system.startWorker();
  const backup = await backUpLedger(system.sql);
  const request = await failedAfter('send', 'exits');
  await backup.restore();
  const limited = await system.startWorker({ AGENT_ONCE_REFUSED_LIMIT: '1s' });
  await system.client.start({ ...request, retryFailed: true });
  expect(await limited.untilEnded()).toBe(10);
  expect(limited.output()).toContain('lacked what runs have recorded');
  expect(await system.client.describe({ agent: AGENT, key: 'exits' })).toMatchObject({
    status: 'running',
  });
});

test('no step is claimed in a ledger that is closed since its runs have moved', async () => {
  await system.startWorker();
  await keeper.shut();
  await started('moved', calls(['charge', { label: 'moved' }]), { say: 'ok' });
  await untilRefused('moved');
  expect((await system.modelRequests()).requests).toBe(0);
  await keeper.reopen();
  expect(await endOf('moved')).toMatchObject({ status: 'completed' });
});
