import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { Ledger, ShareRequest, StepClaim } from '../../../src/ledger/port.ts';
import { eventually } from '../../support/eventually.ts';
import {
  abandoned,
  again,
  claimed,
  granted,
  leasesOver,
  plannedStep,
  stepClaim,
} from '../steps.ts';

const HOUR = 3_600_000;
const NAMES = 25;
const ASKERS = 40;

export function testShares(workers: () => readonly Ledger[]): void {
  const ledger = (): Ledger => {
    const [first] = workers();
    if (first === undefined) throw new Error('no worker');
    return first;
  };
  const ask = (request: ShareRequest) => ledger().share(request);
  /** The asker is told that it is its own. */
  const owned = (request: ShareRequest, first = request) => ({
    mine: true,
    owner: stepOf(request),
    first: stepOf(first),
    round: 0,
  });
  const ownedBy = (request: ShareRequest, first = request) => ({
    ...owned(request, first),
    mine: false,
  });

  /** A step that has claimed itself and owns the share. */
  async function owner(change: Partial<StepClaim> = {}, windowMs = HOUR) {
    const step = stepClaim(change);
    const claim = await claimed(ledger(), step);
    const request = shareOf(step, { windowMs });
    expect(await ask(request)).toEqual(owned(request));
    return { step, claim, request };
  }

  describe('a share', () => {
    test('is of the first who asks, and of nobody else while that one works', async () => {
      const first = await owner();
      const other = asker(first.request);
      expect(await ask(other)).toEqual(ownedBy(first.request));
      expect(await ask(first.request)).toEqual(owned(first.request));
      expect(await ask(asker(first.request, { windowMs: 0 }))).toEqual(ownedBy(first.request));
    });

    test('of another name is another one', async () => {
      const first = await owner();
      const other = asker(first.request, { name: randomUUID() });
      expect(await ask(other)).toEqual(owned(other));
    });

    test('stays its owner’s after completion while the window lasts', async () => {
      const { claim, request } = await owner();
      await ledger().complete(claim, { result: 1 });
      expect(await ask(asker(request))).toEqual(ownedBy(request));
      expect(await ask(request)).toEqual(owned(request));
    });

    test('whose window is over is taken over', async () => {
      const { claim, request } = await owner();
      await ledger().complete(claim, { result: 1 });
      const short = asker(request, { windowMs: 1 });
      await eventually(async () => expect(await ask(short)).toEqual(owned(short)));
    });

    test('without a window is taken over as soon as it is completed', async () => {
      const { claim, request } = await owner({}, 0);
      const other = asker(request);
      expect(await ask(other)).toEqual(ownedBy(request));
      await ledger().complete(claim, { result: 1 });
      expect(await ask(other)).toEqual(owned(other));
    });

    test('has a window that counts from the first who asked, whoever asks meanwhile', async () => {
      const { claim, request } = await owner({}, 400);
      await ledger().complete(claim, { result: 1 });
      // Asking all the time would keep a sliding window open for ever.
      await eventually(async () => {
        const other = asker(request);
        expect(await ask(other)).toEqual(owned(other));
      });
    });

    test('of a step that failed is taken over, and its owner then waits', async () => {
      const { step, claim, request } = await owner();
      await ledger().fail(claim, { code: 'tool.failed', message: 'down' });
      const second = again(stepClaim());
      await claimed(ledger(), second);
      const other = shareOf(second, { name: request.name });
      expect(await ask(other)).toEqual(owned(other, request));
      granted(await ledger().claim(again(step)));
      expect(await ask(request)).toEqual(ownedBy(other, request));
    });

    test('of a step whose lease is over, or that does not exist, is taken over', async () => {
      const step = stepClaim();
      await abandoned(ledger(), step);
      const request = shareOf(step);
      await ask(request);
      const other = asker(request);
      expect(await ask(other)).toEqual(owned(other, request));
      // No step of that name was ever claimed.
      const third = asker(request);
      expect(await ask(third)).toEqual(owned(third, request));
    });

    test('of a step in outcome unknown stays its owner’s: it may have happened', async () => {
      const { claim, request } = await owner({ effect: 'at-most-once' });
      await ledger().endUnknown(claim, { code: 'tool.failed', message: 'cut' });
      expect(await ask(asker(request))).toEqual(ownedBy(request));

      const dead = stepClaim({ effect: 'at-most-once' });
      await abandoned(ledger(), dead);
      const silent = shareOf(dead);
      await ask(silent);
      expect(await ask(asker(silent))).toEqual(ownedBy(silent));
    });

    test('of a planned step is its owner’s for as long as that one said', async () => {
      const model = stepClaim({ step: 't1.model', kind: 'model', name: 'm', effect: null });
      const planned = [plannedStep(0), plannedStep(1)];
      await ledger().complete(await claimed(ledger(), model), { result: 'calls', planned });
      const request = shareOf({ ...model, step: 't1.c0' });
      await ask(request);
      expect(await ask(asker(request))).toEqual(ownedBy(request));

      const short = shareOf({ ...model, step: 't1.c1' }, { leaseMs: 1 });
      await ask(short);
      await leasesOver(ledger());
      const other = asker(short);
      expect(await ask(other)).toEqual(owned(other, short));
    });

    test('in a retired scope is taken over, unless it is completed', async () => {
      const { step, request } = await owner();
      await ledger().retire(step.scope);
      const other = asker(request);
      expect(await ask(other)).toEqual(owned(other, request));

      const done = await owner();
      await ledger().complete(done.claim, { result: 1 });
      await ledger().retire(done.step.scope);
      expect(await ask(asker(done.request))).toEqual(ownedBy(done.request));
    });
  });

  test('of many that ask for a share at once exactly one does the work', async () => {
    for (let i = 0; i < NAMES; i++) {
      expect(await winners(randomUUID())).toBe(1);
    }
  });

  test('of many that find its owner dead exactly one takes a share over', async () => {
    const names: string[] = [];
    for (let i = 0; i < NAMES; i++) {
      const step = stepClaim({ leaseMs: 1 });
      await claimed(ledger(), step);
      const request = shareOf(step);
      await ask(request);
      names.push(request.name);
    }
    await leasesOver(ledger());
    for (const name of names) expect(await winners(name)).toBe(1);
  });

  /** How many of many steps that have claimed themselves are told that it is theirs. */
  async function winners(name: string): Promise<number> {
    const steps = Array.from({ length: ASKERS }, () => stepClaim());
    const answers = await Promise.all(
      steps.map(async (step, i) => {
        const worker = workers()[i % workers().length] ?? ledger();
        await claimed(worker, step);
        return worker.share(shareOf(step, { name }));
      }),
    );
    const mine = answers.filter((answer) => answer.mine);
    const owners = new Set(answers.map(({ owner: { scope } }) => scope));
    expect(owners.size).toBe(1);
    return mine.length;
  }
}

function stepOf({ scope, step }: ShareRequest) {
  return { scope, step };
}

function shareOf(
  { scope, step }: Pick<StepClaim, 'scope' | 'step'>,
  change: Partial<ShareRequest> = {},
): ShareRequest {
  return { name: randomUUID(), scope, step, windowMs: HOUR, leaseMs: 60_000, ...change };
}

/** Another step, that wants the same. */
function asker(request: ShareRequest, change: Partial<ShareRequest> = {}): ShareRequest {
  return { ...request, scope: `scope-${randomUUID()}`, ...change };
}
