import { describe, expect, test } from '@jest/globals';
import type { Ledger, Question, StepClaim } from '../../../src/ledger/port.ts';
import { again, claimed, granted, leasesOver, plannedStep, stepClaim } from '../steps.ts';

const ASKED = { digest: 'a'.repeat(64), request: { order: '1041', amountEur: 300 } };
const EDITED = { digest: 'b'.repeat(64), request: { order: '1041', amountEur: 200 } };
const OTHER = { digest: 'c'.repeat(64), request: { order: '1041', amountEur: 100 } };

/** An approval of other arguments than were asked about. */
export function testEdits(workers: () => readonly Ledger[]): void {
  const ledger = (): Ledger => {
    const [first] = workers();
    if (first === undefined) throw new Error('no ledger is open');
    return first;
  };
  const approve = { step: 't1.c0', decision: 'approve', by: 'ann' } as const;
  const record = ({ scope, step }: StepClaim) => ledger().step(scope, step);

  /** A call that is planned, and asked about. */
  const asked = async (change: Partial<Question> = {}) => {
    const model = stepClaim({ step: 't1.model', kind: 'model', effect: null });
    const { scope } = model;
    const planned = [plannedStep(0, { ...ASKED, effect: 'keyed' })];
    await ledger().complete(await claimed(ledger(), model), { result: 1, planned });
    const step = stepClaim({ scope, effect: 'keyed', digest: ASKED.digest });
    const question: Question = {
      scope,
      step: step.step,
      kind: 'approval',
      digest: ASKED.digest,
      fence: null,
      validMs: 3_600_000,
      workflowId: step.workflowId,
      runId: step.runId,
      ...change,
    };
    await ledger().ask(question);
    return { scope, step, question };
  };

  describe('an approval of other arguments', () => {
    test('gives them to the step, and keeps those that were asked for', async () => {
      const { scope, step } = await asked();
      expect(await record(step)).toMatchObject({ askedDigest: null, askedRequest: null });
      expect(await ledger().decide(scope, { ...approve, edited: EDITED })).toMatchObject({
        outcome: 'recorded',
        decision: 'approve',
        by: 'ann',
      });
      expect(await record(step)).toMatchObject({
        ...EDITED,
        state: 'planned',
        askedDigest: ASKED.digest,
        askedRequest: ASKED.request,
      });
      expect(await ledger().questions(scope)).toMatchObject([{ approvedDigest: EDITED.digest }]);
      // As a worker claims that knows the call as the model asked for it.
      expect(await ledger().claim(step)).toEqual({ state: 'diverged' });
      const now = await ledger().claim({ ...step, digest: EDITED.digest });
      expect(granted(now).request).toEqual(EDITED.request);
      await ledger().complete(granted(now).claim, { result: 'done' });
      expect(await ledger().earlier(scope, 2)).toMatchObject([
        { step: 't1.model', edited: false },
        { step: 't1.c0', ...EDITED, edited: true, result: 'done' },
      ]);
    });

    test('is one when it is given twice, and what differs from it a conflict', async () => {
      const { scope } = await asked();
      const answer = { ...approve, edited: EDITED };
      const recorded = await ledger().decide(scope, answer);
      expect(await ledger().decide(scope, answer)).toEqual({ ...recorded, outcome: 'repeated' });
      for (const other of [
        approve,
        { ...approve, edited: OTHER },
        { ...approve, edited: ASKED },
        { ...approve, decision: 'deny' } as const,
      ]) {
        expect(await ledger().decide(scope, other)).toEqual({ ...recorded, outcome: 'conflict' });
      }
    });

    test('that are equal is a plain one', async () => {
      const { scope, step } = await asked();
      const answer = { ...approve, edited: ASKED };
      expect(await ledger().decide(scope, answer)).toMatchObject({ outcome: 'recorded' });
      expect(await ledger().decide(scope, approve)).toMatchObject({ outcome: 'repeated' });
      expect(await ledger().decide(scope, answer)).toMatchObject({ outcome: 'repeated' });
      expect(await ledger().decide(scope, { ...approve, edited: EDITED })).toMatchObject({
        outcome: 'conflict',
      });
      expect(await ledger().questions(scope)).toMatchObject([{ approvedDigest: null }]);
      expect(await record(step)).toMatchObject({ ...ASKED, askedDigest: null });
    });

    test('stands for the call as it was asked for, and as it was approved', async () => {
      const { scope, question } = await asked();
      await ledger().decide(scope, { ...approve, edited: EDITED });
      for (const digest of [ASKED.digest, EDITED.digest]) {
        const found = await ledger().ask({ ...question, digest, runId: 'run-2' });
        expect(found).toMatchObject({ round: 1, decision: 'approve' });
      }
      const other = await ledger().ask({ ...question, digest: OTHER.digest });
      expect(other).toMatchObject({ round: 2, decision: null, approvedDigest: null });
    });

    test('that can no longer be used is asked again, about those, which can be changed back', async () => {
      const { scope, step, question } = await asked({ validMs: 1 });
      await ledger().decide(scope, { ...approve, edited: EDITED });
      await leasesOver(ledger());
      const next = await ledger().ask({ ...question, digest: EDITED.digest });
      expect(next).toMatchObject({ round: 2, decision: null });
      // To the first question it stays the same answer.
      const first = { ...approve, round: 1, edited: EDITED };
      expect(await ledger().decide(scope, first)).toMatchObject({ outcome: 'repeated' });
      const back = { ...approve, round: 2, edited: ASKED };
      expect(await ledger().decide(scope, back)).toMatchObject({ outcome: 'recorded' });
      expect(await record(step)).toMatchObject({ ...ASKED, askedDigest: null, askedRequest: null });
    });

    test('that were changed before keeps what the model had asked for', async () => {
      const { scope, step, question } = await asked({ validMs: 1 });
      await ledger().decide(scope, { ...approve, edited: EDITED });
      await leasesOver(ledger());
      await ledger().ask({ ...question, digest: EDITED.digest });
      await ledger().decide(scope, { ...approve, round: 2, edited: OTHER });
      expect(await record(step)).toMatchObject({
        ...OTHER,
        askedDigest: ASKED.digest,
        askedRequest: ASKED.request,
      });
    });

    test('is refused once an attempt was begun, and the question stays open', async () => {
      const { scope, step } = await asked();
      const claim = await claimed(ledger(), step);
      const refused = () => ledger().decide(scope, { ...approve, edited: EDITED });
      await expect(refused()).rejects.toMatchObject({
        code: 'decision.invalid',
        message: expect.stringContaining('Nothing was decided'),
      });
      await ledger().fail(claim, { code: 'tool.failed', message: 'no' });
      await expect(refused()).rejects.toMatchObject({ code: 'decision.invalid' });
      expect(await record(step)).toMatchObject({ ...ASKED, askedDigest: null, state: 'failed' });
      expect(await ledger().questions(scope)).toMatchObject([{ decision: null }]);
      expect(await ledger().decide(scope, approve)).toMatchObject({ outcome: 'recorded' });
      expect(await ledger().claim(again(step))).toMatchObject({ state: 'claimed', attempts: 2 });
    });

    test('of many at once one counts, and the step has its arguments', async () => {
      const { scope, step } = await asked();
      const edits = Array.from({ length: 12 }, (_, i) => ({
        digest: String(i % 3).repeat(64),
        request: { amountEur: i % 3 },
      }));
      const outcomes = await Promise.all(
        edits.map((edited, i) => {
          const worker = workers()[i % workers().length] ?? ledger();
          return worker.decide(scope, { ...approve, by: `person-${i}`, edited });
        }),
      );
      const count = (wanted: string) => outcomes.filter(({ outcome }) => outcome === wanted).length;
      expect([count('recorded'), count('repeated'), count('conflict')]).toEqual([1, 3, 8]);
      const counted = edits[outcomes.findIndex(({ outcome }) => outcome === 'recorded')];
      expect(await record(step)).toMatchObject({ ...counted, askedDigest: ASKED.digest });
    });
  });
}
