import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { LedgerKeeper } from '../../../src/ledger/keeper.ts';
import type { Ledger, LedgerIdentity } from '../../../src/ledger/port.ts';
import { abandoned, again, claimed, granted, plannedStep, stepClaim } from '../steps.ts';

/** What a ledger notices of its own restores, and what a person's word changes. */
export function testRestores(get: () => Ledger, openKeeper: () => Promise<LedgerKeeper>): void {
  describe('a ledger that was restored', () => {
    let keeper: LedgerKeeper;
    let here: LedgerIdentity;

    beforeEach(async () => {
      keeper = await openKeeper();
      here = await keeper.identity();
    });
    afterEach(async () => {
      await keeper.reopen();
      await keeper.close();
    });

    /** A turn whose answer is recorded, and one call that it asks for. */
    async function turnRecorded(effect: 'at-most-once' | 'reconcile' = 'at-most-once') {
      const model = stepClaim({ step: 't1.model', kind: 'model', effect: null, name: 'm' });
      const claim = await claimed(get(), model);
      const planned = [plannedStep(0, { effect, tool: 'charge' })];
      await get().complete(claim, { result: {}, planned });
      const call = stepClaim({ scope: model.scope, effect, name: 'charge' });
      return { model, call: { ...call, seen: { ledger: here.id, row: true as const } } };
    }

    test('has one identity, told with every claim', async () => {
      const step = stepClaim();
      const { claim, ledger } = granted(await get().claim(step));
      expect(ledger).toBe(here.id);
      await get().complete(claim, { result: 1 });
      expect(await get().claim(again(step))).toMatchObject({ state: 'completed', ledger });
      expect(await get().identity()).toEqual({ id: ledger, standsInFor: [], closedAt: null });
    });

    test('refuses a call that it should have planned, and changes nothing', async () => {
      const step = stepClaim({ seen: { row: true } });
      const refused = { state: 'restored', lacks: 'records', ledger: here.id, accepted: false };
      expect(await get().claim(step)).toEqual(refused);
      expect(await get().claim({ ...step, seen: { row: true, ledger: here.id } })).toEqual(refused);
      expect(await get().step(step.scope, step.step)).toBeUndefined();
    });

    test('refuses what was seen in another ledger, recorded or not', async () => {
      const { model, call } = await turnRecorded();
      const seen = { ledger: randomUUID() };
      const refused = { state: 'restored', lacks: 'all', ledger: here.id, accepted: false };
      expect(await get().claim({ ...call, seen: { ...seen, row: true } })).toEqual(refused);
      expect(await get().claim({ ...again(model), seen })).toEqual(refused);
      expect(await get().step(call.scope, call.step)).toMatchObject({ state: 'planned' });
    });

    test('refuses the claim after one that it has lost', async () => {
      const { call } = await turnRecorded();
      const lost = { ...call, seen: { ...call.seen, fence: '1' } };
      expect(await get().claim(lost)).toMatchObject({ state: 'restored', lacks: 'records' });
      const claim = await claimed(get(), call);
      await get().fail(claim, { code: 'tool.failed', message: 'no' });
      expect(await get().claim(again(lost))).toMatchObject({ state: 'claimed', attempt: 2 });
    });

    test('refuses a turn after one that it has lost; another answer diverges', async () => {
      const { model } = await turnRecorded();
      const next = {
        ...stepClaim({ scope: model.scope, step: 't2.model', kind: 'model', turn: 2 }),
      };
      const previous = { step: 't1.model', digest: model.digest };
      const lost = { ...next, seen: { previous: { ...previous, step: 't9.model' } } };
      expect(await get().claim(lost)).toMatchObject({ state: 'restored', lacks: 'records' });
      const other = { ...next, seen: { previous: { ...previous, digest: 'b'.repeat(64) } } };
      expect(await get().claim(other)).toEqual({ state: 'diverged' });
      expect(await get().claim({ ...next, seen: { previous } })).toMatchObject({
        state: 'claimed',
      });
    });

    test('refuses what it should have completed', async () => {
      const { model, call } = await turnRecorded();
      const done = { ...call, seen: { ...call.seen, done: true as const } };
      const refused = { state: 'restored', lacks: 'records', accepted: false };
      expect(await get().claim(done)).toMatchObject(refused);
      expect(await get().step(call.scope, call.step)).toMatchObject({ state: 'planned' });
      const later = stepClaim({ scope: model.scope, step: 't2.model', kind: 'model', turn: 2 });
      await abandoned(get(), later);
      expect(await get().claim(again(later, { seen: { done: true } }))).toMatchObject(refused);
      await get().complete(await claimed(get(), call), { result: 'charged' });
      expect(await get().claim(again(done))).toMatchObject({ state: 'completed' });
    });

    test('gives out no claim once it is closed, until it is opened again', async () => {
      const { call } = await turnRecorded();
      const { closedAt } = await keeper.shut();
      expect(closedAt).not.toBeNull();
      expect((await keeper.shut()).closedAt).toBe(closedAt);
      const refused = { state: 'restored', lacks: 'claims', ledger: here.id, accepted: false };
      expect(await get().claim(call)).toEqual(refused);
      expect(await get().claim(stepClaim())).toEqual(refused);
      await keeper.reopen();
      expect(await get().claim(again(call))).toMatchObject({ state: 'claimed' });
    });

    test('is another one when that is accepted, and stands in for itself and for a lost one', async () => {
      const lost = randomUUID();
      await keeper.shut();
      const first = await keeper.acceptRestore();
      const second = await keeper.acceptRestore(lost);
      expect(first).toEqual({ id: first.id, standsInFor: [here.id], closedAt: null });
      expect(new Set(second.standsInFor)).toEqual(new Set([here.id, first.id, lost]));
      expect(new Set([here.id, first.id, second.id, lost]).size).toBe(4);
      const seen = { ledger: lost, row: true } as const;
      expect(await get().claim(stepClaim({ seen }))).toMatchObject({
        state: 'restored',
        accepted: true,
      });
    });

    test('asks about a call that may run at most once and was scheduled before', async () => {
      const { call } = await turnRecorded();
      const { id } = await keeper.acceptRestore();
      const answer = await get().claim(call);
      expect(answer).toMatchObject({ state: 'unknown', attempt: { fence: '1', worker: '' } });
      expect(answer).toMatchObject({ attempt: { error: { code: 'ledger.restored' } } });
      expect(await get().step(call.scope, call.step)).toMatchObject({
        state: 'unknown',
        unknownAttempts: 1,
      });
      const { scope, step, digest } = call;
      const ids = { workflowId: 'w', runId: call.runId };
      await get().ask({ scope, step, digest, kind: 'outcome', fence: '1', validMs: 0, ...ids });
      await get().decide(scope, { step, decision: 'did-not-happen', by: 'ann' });
      // Somebody has spoken: it is not asked again.
      expect(await get().claim(again(call))).toMatchObject({ state: 'claimed', ledger: id });
    });

    test('asks anew where an answer stands about an attempt before', async () => {
      const { call } = await turnRecorded();
      const { fence } = await abandoned(get(), call);
      expect(await get().claim(again(call))).toMatchObject({ state: 'unknown' });
      const { scope, step, digest } = call;
      const about = { scope, step, digest, kind: 'outcome', validMs: 0 } as const;
      const ids = { workflowId: 'w', runId: call.runId };
      await get().ask({ ...about, fence, ...ids });
      await get().decide(scope, { step, decision: 'did-not-happen', by: 'ann' });
      await keeper.acceptRestore();
      const answer = await get().claim(again(call));
      if (answer.state !== 'unknown') throw new Error(`The step is ${answer.state}`);
      const question = await get().ask({ ...about, fence: answer.attempt.fence, ...ids });
      expect(question).toMatchObject({ round: 2, decision: null });
    });

    test('gives out a fence above the one that it has lost', async () => {
      const { call } = await turnRecorded('reconcile');
      await keeper.acceptRestore();
      const lost = { ...call, seen: { ...call.seen, fence: '7' } };
      expect(granted(await get().claim(lost)).claim.fence).toBe('8');
      const model = stepClaim({ step: 't1.model', kind: 'model', effect: null });
      const seen = { ledger: here.id, done: true, fence: '3' } as const;
      expect(granted(await get().claim({ ...model, seen })).claim.fence).toBe('4');
    });

    test('doubts what a run has seen that knows no ledger, being of an earlier version', async () => {
      const { call } = await turnRecorded();
      await keeper.acceptRestore();
      expect(await get().claim({ ...call, seen: { row: true } })).toMatchObject({
        state: 'unknown',
      });
      expect(await get().claim(stepClaim({ seen: { row: true } }))).toMatchObject({
        state: 'restored',
        accepted: true,
      });
    });

    test('counts a lost attempt of a call that looks before it acts', async () => {
      const { call } = await turnRecorded('reconcile');
      await keeper.acceptRestore();
      const answer = granted(await get().claim(call));
      expect(answer).toMatchObject({ attempt: 1, attempts: 2, unknownAttempts: 1 });
      await get().fail(answer.claim, { code: 'tool.failed', message: 'no' });
      expect(granted(await get().claim(again(call)))).toMatchObject({ attempts: 3 });
    });

    test('does not doubt what it has recorded, or has claimed itself', async () => {
      const done = await turnRecorded();
      await get().complete(await claimed(get(), done.call), { result: 'charged' });
      const busy = await turnRecorded();
      const { id } = await keeper.acceptRestore();
      expect(await get().claim(again(done.call))).toMatchObject({ state: 'completed', ledger: id });
      const fresh = { ...busy.call, seen: { row: true, ledger: id } as const };
      await abandoned(get(), { ...fresh, effect: 'reconcile' });
      const next = granted(await get().claim(again({ ...busy.call, effect: 'reconcile' })));
      // One attempt that ended without a word, and none that was lost.
      expect(next).toMatchObject({ attempts: 2, unknownAttempts: 1 });
    });

    test('lets a model be asked again for an answer that it has lost, which may be paid twice', async () => {
      await keeper.acceptRestore();
      const model = stepClaim({ step: 't1.model', kind: 'model', effect: null });
      const seen = { ledger: here.id, done: true } as const;
      expect(granted(await get().claim({ ...model, seen }))).toMatchObject({
        attempt: 1,
        unknownAttempts: 1,
      });
    });

    test('tells what it holds', async () => {
      const before = await keeper.contents();
      const step = stepClaim();
      await get().complete(await claimed(get(), step), { result: 1 });
      const after = await keeper.contents();
      expect(after.steps).toBe(before.steps + 1);
      expect(Date.parse(after.changedAt ?? '')).toBeGreaterThanOrEqual(
        Date.parse(before.changedAt ?? ''),
      );
    });
  });
}
