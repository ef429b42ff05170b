import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { LedgerCleaner, OldScope } from '../../../src/ledger/cleaner.ts';
import type { Ledger } from '../../../src/ledger/port.ts';
import { eventually } from '../../support/eventually.ts';
import { again, claimed, stepClaim } from '../steps.ts';

/** The cleaning of a backend. Ages are its own, so these tests count in milliseconds. */
export function testCleaning(ledger: () => Ledger): void {
  const cleaner = (): LedgerCleaner => {
    const { cleaner: found } = ledger();
    if (!found) throw new Error('This backend has no cleaner.');
    return found;
  };

  /** A scope with a completed model step and tool steps; their run is `workflow-{scope}`. */
  async function scopeWith(tools = 1, runId = 'run-1'): Promise<string> {
    const first = stepClaim({
      scope: `scope-${randomUUID()}`,
      step: 't1.model',
      kind: 'model',
      effect: null,
      runId,
    });
    const run = { scope: first.scope, workflowId: `workflow-${first.scope}`, runId };
    await ledger().complete(await claimed(ledger(), { ...first, ...run }), { result: 'asks' });
    for (let call = 0; call < tools; call++) {
      const claim = await claimed(ledger(), stepClaim({ ...run, step: `t1.c${call}` }));
      await ledger().complete(claim, { result: `done ${call}` });
    }
    return first.scope;
  }

  /** Everything that is old, page by page. */
  async function allOld(olderThanMs: number, limit = 100): Promise<OldScope[]> {
    const found: OldScope[] = [];
    let after: string | null = null;
    do {
      const page = await cleaner().oldScopes({ olderThanMs, after, limit });
      found.push(...page.scopes);
      after = page.next;
    } while (after !== null);
    return found;
  }

  async function findOld(scope: string, olderThanMs = 0): Promise<OldScope | undefined> {
    return (await allOld(olderThanMs)).find((old) => old.scope === scope);
  }

  /** A moment later nothing of it is younger than the age that is asked for. */
  const untilOld = (scope: string, olderThanMs = 0): Promise<OldScope> =>
    eventually(async () => {
      const old = await findOld(scope, olderThanMs);
      if (!old) throw new Error('not old yet');
      return old;
    });

  describe('cleaning', () => {
    test('finds each old scope, page by page, with the executions that worked in it', async () => {
      const scopes = await Promise.all(Array.from({ length: 7 }, () => scopeWith(2)));
      const last = scopes.at(-1) ?? '';
      const claim = await claimed(
        ledger(),
        stepClaim({
          scope: last,
          step: 't2.model',
          workflowId: `workflow-${last}`,
          runId: 'run-2',
        }),
      );
      await ledger().fail(claim, { code: 'tool.failed', message: 'no' });
      await untilOld(last);
      const old = await allOld(0, 2);
      for (const scope of scopes) {
        const found = old.filter((each) => each.scope === scope);
        expect(found.length).toBeGreaterThan(0);
        const workflowId = `workflow-${scope}`;
        expect(found[0]?.executions).toEqual(
          expect.arrayContaining([{ workflowId, runId: 'run-1' }]),
        );
        expect(found[0]?.executions).toHaveLength(scope === last ? 2 : 1);
      }
      // Any of them is a place to go on from.
      const half = Math.floor(old.length / 2);
      const rest = await cleaner().oldScopes({
        olderThanMs: 0,
        after: old[half]?.cursor ?? null,
        limit: 1_000,
      });
      expect(rest.scopes.map(({ scope }) => scope)).toEqual(
        expect.arrayContaining(old.slice(half + 1).map(({ scope }) => scope)),
      );
      expect(rest.next).toBeNull();
    });

    test('does not find a scope in which something happened lately: a claim, a question, a share', async () => {
      const young = await scopeWith();
      expect(await findOld(young, 3_600_000)).toBeUndefined();

      const held = await scopeWith();
      await untilOld(held);
      await claimed(
        ledger(),
        stepClaim({ scope: held, step: 't2.model', leaseMs: 3_600_000, runId: 'run-1' }),
      );
      expect(await findOld(held)).toBeUndefined();

      // Long enough to look through everything meanwhile.
      const age = 4_000;
      const asked = await scopeWith();
      const sharing = await scopeWith();
      await untilOld(sharing, age);
      const question = { scope: asked, step: 't1.c0', kind: 'approval' as const };
      const terms = { digest: 'a'.repeat(64), fence: null, validMs: 1_000 };
      await ledger().ask({ ...question, ...terms, workflowId: 'w', runId: 'run-9' });
      const share = { name: randomUUID(), scope: sharing, step: 't1.c0' };
      expect(await ledger().share({ ...share, windowMs: 60_000, leaseMs: 1_000 })).toMatchObject({
        mine: true,
      });
      const found = (await allOld(age)).map(({ scope }) => scope);
      expect(found).not.toContain(asked);
      expect(found).not.toContain(sharing);
      const old = await untilOld(asked);
      expect(old.executions).toContainEqual({ workflowId: 'w', runId: 'run-9' });
    });

    test('removes a marked scope whole, and keeps the mark: nothing is claimed there again', async () => {
      const scope = await scopeWith(3);
      const other = await scopeWith(1);
      const question = { scope, step: 't1.c0', kind: 'approval' as const, digest: 'a'.repeat(64) };
      const terms = { fence: null, validMs: 1_000, workflowId: 'w', runId: 'run-1' };
      await ledger().ask({ ...question, ...terms });
      const share = { name: randomUUID(), windowMs: 60_000, leaseMs: 1_000 };
      await ledger().share({ ...share, scope, step: 't1.c0' });

      await cleaner().mark([scope]);
      const removed = await cleaner().remove(scope);
      expect(removed).toMatchObject({ steps: 4, questions: 1, shares: 1 });
      expect(removed.bytes).toBeGreaterThan(0);
      expect(await ledger().steps(scope)).toEqual([]);
      expect(await ledger().questions(scope)).toEqual([]);
      expect(await ledger().share({ ...share, scope: other, step: 't1.c0' })).toMatchObject({
        mine: true,
      });
      expect(await ledger().steps(other)).toHaveLength(2);

      expect(await cleaner().unmark([scope])).toEqual([]);
      expect(await ledger().claim(stepClaim({ scope }))).toEqual({ state: 'superseded' });
      expect(await cleaner().remove(scope)).toMatchObject({ steps: 0, questions: 0, shares: 0 });
    });

    test('removes nothing of a scope without a mark, or with one that was taken back', async () => {
      const scope = await scopeWith();
      expect(await cleaner().remove(scope)).toMatchObject({ steps: 0 });
      await cleaner().mark([scope]);
      const step = stepClaim({ scope, step: 't2.model' });
      expect((await ledger().claim(step)).state).toBe('superseded');
      expect(await cleaner().unmark([scope, 'another'])).toEqual([scope]);
      expect(await cleaner().remove(scope)).toMatchObject({ steps: 0 });
      expect(await ledger().steps(scope)).toHaveLength(2);
      expect((await ledger().claim(again(step))).state).toBe('claimed');
    });

    test('does not take back the mark of a key that was given to another run', async () => {
      const [before, after] = [await scopeWith(), await scopeWith()];
      await ledger().retire(before);
      await cleaner().mark([before, after]);
      await ledger().retire(after);
      expect(await cleaner().unmark([before, after])).toEqual([]);
      for (const scope of [before, after]) {
        expect((await ledger().claim(stepClaim({ scope }))).state).toBe('superseded');
      }
    });

    test('removes a scope of a thousand steps, and a marked one is found like any other', async () => {
      const scope = await scopeWith(0);
      await Promise.all(
        Array.from({ length: 20 }, async (_, part) => {
          for (let call = 0; call < 60; call++) {
            const step = `t2.c${part * 60 + call}`;
            await ledger().claim(stepClaim({ scope, step, leaseMs: 1 }));
          }
        }),
      );
      await cleaner().mark([scope]);
      await untilOld(scope);
      expect(await cleaner().remove(scope)).toMatchObject({ steps: 1_201 });
      expect(await findOld(scope)).toBeUndefined();
    });

    test('learns which namespaces use the ledger', async () => {
      const [one, two] = [randomUUID(), randomUUID()];
      await cleaner().register({ id: one, name: 'one' });
      expect(await cleaner().register({ id: two, name: 'two' })).toContainEqual({
        id: one,
        name: 'one',
      });
      const others = await cleaner().register({ id: two, name: 'renamed' });
      expect(others.map(({ id }) => id)).not.toContain(two);
      expect(await cleaner().register({ id: one, name: 'one' })).toContainEqual({
        id: two,
        name: 'renamed',
      });
    });
  });
}
