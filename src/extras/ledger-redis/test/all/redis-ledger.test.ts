import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { startTcpProxy, type TcpProxy } from '../../../../../test/support/tcp-proxy.ts';
import { openLedger, openLedgerKeeper, openLedgerReader } from '../../../../ledger/open-ledger.ts';
import type { Ledger, StepClaim } from '../../../../ledger/port.ts';
import { describeLedgerContract } from '../../../../../test/ledger/contract.ts';
import {
  again,
  claimed,
  granted,
  plannedStep,
  stepClaim,
} from '../../../../../test/ledger/steps.ts';
import { eventually } from '../../../../../test/support/eventually.ts';
import { startRedis, type RedisServer } from '../../../../../test/support/redis-server.ts';

describe('with a Redis', () => {
  describeLedgerContract('Redis', async () => {
    const server = await startRedis();
    return {
      open: () => openLedger(server.url),
      openKeeper: () => openLedgerKeeper(server.url),
      drop: () => server.stop(),
    };
  });

  describe('the ledger in Redis', () => {
    let server: RedisServer;
    let ledger: Ledger;
    const closers: (() => Promise<unknown>)[] = [];
    beforeAll(async () => {
      server = await startRedis();
      ledger = await openLedger(server.url);
    });
    afterEach(async () => {
      for (const close of closers.splice(0)) await close();
    });
    afterAll(async () => {
      await (ledger as Ledger | undefined)?.close();
      await (server as RedisServer | undefined)?.stop();
    });

    test('keeps all keys of a scope in one slot, under its own prefix, without an end', async () => {
      const step = stepClaim({ request: 'asked' });
      await ledger.complete(await claimed(ledger, step), { result: 1, planned: [plannedStep(1)] });
      const { scope, digest, workflowId, runId } = step;
      const question = {
        scope,
        step: 't1.c1',
        kind: 'approval',
        digest,
        workflowId,
        runId,
      } as const;
      await ledger.ask({ ...question, fence: null, validMs: 1_000 });
      await ledger.retire(scope);
      const found = (await server.command('KEYS', '*')) as string[];
      expect(found.filter((key) => key.includes(scope)).sort()).toEqual([
        `agent_once:{${scope}}:questions`,
        `agent_once:{${scope}}:retired`,
        `agent_once:{${scope}}:step:t1.c0`,
        `agent_once:{${scope}}:step:t1.c1`,
        `agent_once:{${scope}}:steps`,
      ]);
      for (const key of found) {
        expect(key).toMatch(/^agent_once:/);
        expect(await server.command('TTL', key)).toBe(-1);
      }
    });

    test('claims and completes in one round trip each', async () => {
      const script = async () =>
        /cmdstat_evalsha:calls=(\d+)/.exec(
          String(await server.command('INFO', 'commandstats')),
        )?.[1];
      await claimed(ledger, stepClaim());
      const before = Number(await script());
      const claim = await claimed(ledger, stepClaim());
      expect(Number(await script())).toBe(before + 1);
      await ledger.complete(claim, { result: 1, planned: [plannedStep(1), plannedStep(2)] });
      expect(Number(await script())).toBe(before + 2);
    });

    test('goes on when the server has forgotten its scripts', async () => {
      const step = stepClaim();
      await claimed(ledger, step);
      await server.command('SCRIPT', 'FLUSH');
      expect(await ledger.claim(step)).toMatchObject({ state: 'claimed', claim: { fence: '1' } });
    });

    test('tells a reader how claims stand by its own clock', async () => {
      const step = stepClaim();
      await claimed(ledger, step);
      const reader = await openLedgerReader(server.url);
      closers.push(() => reader.close());
      const [held] = await reader.steps(step.scope);
      expect(held).toMatchObject({ step: step.step, state: 'claimed', runAttempts: 1 });
      expect(held?.leaseLeftMs).toBeGreaterThan(30_000);
      expect(held?.leaseLeftMs).toBeLessThanOrEqual(60_000);
      expect(await reader.questions(step.scope)).toEqual([]);
    });

    test('has no transactions, and says so', async () => {
      const claim = await claimed(ledger, stepClaim());
      await expect(ledger.transact(claim, async () => ({ result: 1 }))).rejects.toMatchObject({
        code: 'ledger.invalid',
      });
    });

    describe('behind a network that loses answers', () => {
      let proxy: TcpProxy;
      let far: Ledger;
      beforeAll(async () => {
        proxy = await startTcpProxy(server.address);
        far = await openLedger(`redis://${proxy.address}/0`);
        // The server has seen the scripts: otherwise it would be asked twice.
        await far.complete(await claimed(far, stepClaim()), { result: 1 });
        await far.fail(await claimed(far, stepClaim()), { code: 'tool.failed', message: '' });
      });
      afterAll(async () => {
        await far.close();
        await proxy.stop();
      });

      /** Runs a call whose answer is lost after the server has done what it asks. */
      async function losing(call: () => Promise<unknown>, done: () => Promise<unknown>) {
        proxy.holdAnswers();
        const lost = call();
        lost.catch(() => {});
        await eventually(done);
        proxy.cut();
        await expect(lost).rejects.toMatchObject({ code: 'ledger.unreachable' });
      }
      const stateIs = (step: { scope: string; step: string }, state: string) => async () =>
        expect(await ledger.step(step.scope, step.step)).toMatchObject({ state });

      test('finds a claim again by its nonce, and nobody else does', async () => {
        const step = stepClaim();
        await losing(() => far.claim(step), stateIs(step, 'claimed'));
        expect((await far.claim(again(step))).state).toBe('busy');
        expect(granted(await far.claim(step))).toMatchObject({
          attempts: 1,
          unknownAttempts: 0,
          claim: { fence: '1' },
        });
      });

      test('records a completion once, however often it is asked for', async () => {
        const step = stepClaim();
        const claim = await claimed(far, step);
        const complete = () => far.complete(claim, { result: 'first' });
        await losing(complete, stateIs(step, 'completed'));
        expect(await far.complete(claim, { result: 'second' })).toBe('recorded');
        expect(await far.step(step.scope, step.step)).toMatchObject({ result: 'first' });
      });

      test('counts a failure once', async () => {
        const step = stepClaim();
        const claim = await claimed(far, step);
        const error = { code: 'tool.failed', message: 'down' };
        await losing(() => far.fail(claim, error), stateIs(step, 'failed'));
        expect(await far.fail(claim, error)).toBe(true);
        expect(await far.step(step.scope, step.step)).toMatchObject({ errors: [error] });
      });
    });

    test('does not wait for ever for a server that answers nothing', async () => {
      const step = stepClaim();
      await claimed(ledger, step);
      server.pause();
      try {
        await expect(ledger.claim(step)).rejects.toMatchObject({ code: 'ledger.unreachable' });
        // The first lost the connection, the second gets none.
        await expect(ledger.claim(step)).rejects.toMatchObject({ code: 'ledger.unreachable' });
      } finally {
        server.resume();
      }
      expect(await ledger.claim(step)).toMatchObject({ state: 'claimed', claim: { fence: '1' } });
    });

    test('that is full says that it does not answer, and changes nothing', async () => {
      const step = stepClaim();
      await claimed(ledger, step);
      await server.command('CONFIG', 'SET', 'maxmemory', '1');
      try {
        const refused = ledger.claim(stepClaim());
        await expect(refused).rejects.toMatchObject({ code: 'ledger.unreachable' });
        await expect(refused).rejects.toThrow(/does not answer \(OOM\)/);
      } finally {
        await server.command('CONFIG', 'SET', 'maxmemory', '0');
      }
      expect(await ledger.claim(stepClaim())).toMatchObject({ state: 'claimed' });
    });

    test('of a newer version of this program is refused', async () => {
      const newer = server.url.replace(/0$/, '5');
      const opened = await openLedger(newer);
      await opened.close();
      await server.command('SELECT', '5');
      await server.command('SET', 'agent_once:format', '2');
      await server.command('SELECT', '0');
      await expect(openLedger(newer)).rejects.toMatchObject({ code: 'ledger.invalid' });
    });
  });

  describe('a Redis that is killed', () => {
    test('is unreachable, without its credentials; when it is back everything is there', async () => {
      const server = await startRedis({ requirepass: 'the-secret' });
      const ledger = await openLedger(server.url);
      try {
        const step = stepClaim({ request: { order: 1042 } });
        const done = stepClaim();
        await ledger.complete(await claimed(ledger, done), { result: 'paid' });
        const claim = await claimed(ledger, step);
        await server.kill();
        const { scope } = step;
        const error = { code: 'tool.failed', message: '' };
        for (const call of [
          () => ledger.claim(step),
          () => ledger.renew(claim),
          () => ledger.complete(claim, { result: 1 }),
          () => ledger.fail(claim, error),
          () => ledger.endUnknown(claim, error),
          () => ledger.note(scope, step.step, error),
          () => ledger.questions(scope),
          () => ledger.decide(scope, { step: step.step, decision: 'fail', by: 'ann' }),
          () => ledger.share({ name: 'n', scope, step: 't1.c0', windowMs: 0, leaseMs: 1 }),
          () => ledger.retire(scope),
          () => ledger.step(scope, step.step),
          () => ledger.steps(scope),
          () => openLedger(server.url),
        ]) {
          const failed: unknown = await call().catch((reason: unknown) => reason);
          expect(failed).toMatchObject({ code: 'ledger.unreachable' });
          expect(String(failed)).toContain(`The ledger at ${server.address}/0 does not answer`);
          expect(inspect(failed, { depth: 10, showHidden: true })).not.toContain('the-secret');
        }
        await server.restart();
        expect(await ledger.claim(step)).toMatchObject({ state: 'claimed', claim: { fence: '1' } });
        expect((await ledger.claim(again(step))).state).toBe('busy');
        expect(await ledger.complete(claim, { result: 'after' })).toBe('recorded');
        expect(await ledger.claim(again(done))).toMatchObject({
          state: 'completed',
          record: { result: 'paid' },
        });
      } finally {
        await ledger.close();
        await server.stop();
      }
    });

    test('in the middle of many calls takes back nothing that it has answered', async () => {
      const server = await startRedis();
      const ledger = await openLedger(server.url);
      try {
        const answered: (readonly [StepClaim, number])[] = [];
        const cut: (readonly [StepClaim, number])[] = [];
        let calls = 0;
        // One step after another, until the connection is gone.
        const lane = async (): Promise<unknown> => {
          for (;;) {
            const each = [stepClaim(), calls++] as const;
            try {
              const claim = await claimed(ledger, each[0]);
              await ledger.complete(claim, { result: each[1] });
              answered.push(each);
            } catch (error) {
              cut.push(each);
              return error;
            }
          }
        };
        const lanes = Array.from({ length: 50 }, lane);
        await eventually(() => expect(answered.length).toBeGreaterThan(20));
        await server.kill();
        for (const error of await Promise.all(lanes)) {
          expect(error).toMatchObject({ code: 'ledger.unreachable' });
        }
        await server.restart();
        for (const [step, result] of answered) {
          expect(await ledger.claim(step)).toMatchObject({
            state: 'completed',
            record: { result },
          });
        }
        for (const [step, result] of cut) {
          const answer = await ledger.claim(step);
          if (answer.state === 'completed') expect(answer.record.result).toBe(result);
          else expect(answer).toMatchObject({ state: 'claimed', claim: { fence: '1' } });
        }
      } finally {
        await ledger.close();
        await server.stop();
      }
    });
  });

  describe('a Redis for tools that it may not serve', () => {
    let server: RedisServer;
    beforeAll(async () => {
      server = await startRedis({ requirepass: 'the-secret' });
    });
    afterAll(async () => {
      await (server as RedisServer | undefined)?.stop();
    });
    const send = [
      { name: 'look', effect: 'read' },
      { name: 'send', effect: 'at-most-once' },
    ] as const;
    const openDurable = async (url: string) => {
      process.env['AGENT_ONCE_REDIS_DURABLE'] = 'on';
      try {
        return await openLedger(url, { tools: send });
      } finally {
        delete process.env['AGENT_ONCE_REDIS_DURABLE'];
      }
    };
    const setting = async (name: string, value: string, check: () => Promise<void>) => {
      const [, before] = (await server.command('CONFIG', 'GET', name)) as string[];
      await server.command('CONFIG', 'SET', name, value);
      try {
        await check();
      } finally {
        await server.command('CONFIG', 'SET', name, before ?? '');
      }
    };

    const allow = (user: string, ...rights: string[]) =>
      server.command('ACL', 'SETUSER', user, 'on', '>pass', '~agent_once:*', ...rights);

    test('is refused for a transactional one', async () => {
      const opened = openLedger(server.url, { tools: [{ name: 'note', effect: 'transactional' }] });
      await expect(opened).rejects.toMatchObject({ code: 'ledger.invalid' });
      await expect(opened).rejects.toThrow(/The tool "note" is transactional.*PostgreSQL/);
    });

    test('is refused for one at most once, without the operator’s word', async () => {
      const opened = openLedger(server.url, { tools: send });
      await expect(opened).rejects.toMatchObject({ code: 'config.invalid' });
      await expect(opened).rejects.toThrow(/The tool "send".*AGENT_ONCE_REDIS_DURABLE=on/);
    });

    test('is taken with that word, where its settings agree', async () => {
      const ledger = await openDurable(server.url);
      expect(await ledger.claim(stepClaim())).toMatchObject({ state: 'claimed' });
      await ledger.close();
    });

    test.each([
      ['appendonly', 'no'],
      ['appendfsync', 'everysec'],
      ['maxmemory-policy', 'allkeys-lru'],
    ])('is refused where %s is %s, whatever the word', (name, value) =>
      setting(name, value, async () => {
        const opened = openDurable(server.url);
        await expect(opened).rejects.toMatchObject({ code: 'ledger.invalid' });
        await expect(opened).rejects.toThrow(`"send" runs at most once`);
        await expect(opened).rejects.toThrow(`has ${name} ${value}`);
        // The others do not need it.
        const ledger = await openLedger(server.url, { tools: send.slice(0, 1) });
        await ledger.close();
      }),
    );

    test('is taken at that word where it tells no settings', async () => {
      // Those of docs/operations.md.
      await allow('worker', '+@read', '+@write', '+@scripting', '+@connection', '+time');
      await setting('appendfsync', 'everysec', async () => {
        const url = server.url.replace('redis://:the-secret@', 'redis://worker:pass@');
        const ledger = await openDurable(url);
        const step = stepClaim();
        await ledger.complete(await claimed(ledger, step), { result: 1 });
        expect(await ledger.steps(step.scope)).toHaveLength(1);
        await ledger.close();
      });
    });

    test.each([
      ['a wrong password', (url: string) => url.replace('the-secret', 'not-this')],
      ['no password', (url: string) => url.replace(':the-secret@', '')],
      ['a database that is not there', (url: string) => url.replace(/0$/, '4711')],
    ])('with %s says so, and repeats none', async (_, change) => {
      const opened = openLedger(change(server.url));
      await expect(opened).rejects.toMatchObject({ code: 'ledger.invalid' });
      const error: unknown = await opened.catch((reason: unknown) => reason);
      expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/the-secret|not-this/);
    });

    test('without the right to run scripts says so', async () => {
      await allow('reader', '+get', '+setnx');
      const url = server.url.replace('redis://:the-secret@', 'redis://reader:pass@');
      const opened = openLedger(url);
      await expect(opened).rejects.toMatchObject({ code: 'ledger.invalid' });
      await expect(opened).rejects.toThrow(/lacks rights/);
    });

    test('that is a node of a cluster is refused', async () => {
      const node = await startRedis({ 'cluster-enabled': 'yes' });
      try {
        // With all slots of the cluster it would answer to some scripts.
        await node.command('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
        const opened = openLedger(node.url);
        await expect(opened).rejects.toMatchObject({ code: 'ledger.invalid' });
        await expect(opened).rejects.toThrow(/it is a Redis Cluster/);
      } finally {
        await node.stop();
      }
    });
  });
});
