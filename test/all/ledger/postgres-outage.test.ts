import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { startPostgres, type PostgresServer } from '../../../src/extras/dev/postgres-server.ts';
import type { Ledger } from '../../../src/ledger/port.ts';
import { createPostgresLedger } from '../../../src/ledger/postgres/postgres-ledger.ts';
import { claimed, stepClaim } from '../../ledger/steps.ts';

describe('a database that is gone', () => {
  let folder: string | undefined;
  let server: PostgresServer;
  let ledger: Ledger | undefined;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'ledger-outage-'));
    await chmod(folder, 0o755);
    server = await startPostgres({ dataDir: path.join(folder, 'postgres'), durable: false });
    ledger = await createPostgresLedger(server.url);
  });
  afterAll(async () => {
    await ledger?.close();
    await server?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  test('is unreachable, without its credentials; when it is back the step goes on', async () => {
    if (ledger === undefined || folder === undefined) throw new Error('not started');
    const open = ledger;
    const step = stepClaim();
    const claim = await claimed(open, step);
    const port = Number(new URL(server.url).port);

    const interrupted = open.transact(claim, async (tx) => {
      await tx.query('CREATE TABLE half_done ()');
      await server.stop();
      await tx.query('SELECT 1');
      return { result: 1 };
    });
    await expect(interrupted).rejects.toMatchObject({ code: 'ledger.unreachable' });
    for (const call of [
      () => open.claim(step),
      () => open.renew(claim),
      () => open.complete(claim, { result: 1 }),
      () => open.endUnknown(claim, { code: 'tool.failed', message: '' }),
      () => open.note(step.scope, step.step, { code: 'tool.failed', message: '' }),
      () => open.questions(step.scope),
      () => open.decide(step.scope, { step: step.step, decision: 'fail', by: 'ann' }),
      () => open.fail(claim, { code: 'tool.failed', message: '' }),
      () => open.transact(claim, async () => ({ result: 1 })),
      () => open.step(step.scope, step.step),
      () => open.steps(step.scope),
      () => createPostgresLedger(server.url),
    ]) {
      const answer = call();
      await expect(answer).rejects.toMatchObject({ code: 'ledger.unreachable' });
      await expect(answer).rejects.toThrow(`127.0.0.1:${port}/agent_once does not answer`);
      await expect(answer).rejects.not.toThrow(/postgres:postgres/);
    }

    server = await startPostgres({ dataDir: path.join(folder, 'postgres'), port, durable: false });
    expect(await open.claim(step)).toMatchObject({ state: 'claimed', claim: { fence: '1' } });
    const recorded = await open.transact(claim, async (tx) => {
      await tx.query('CREATE TABLE half_done ()');
      return { result: 'after the outage' };
    });
    expect(recorded).toBe(true);
    expect(await open.step(step.scope, step.step)).toMatchObject({ result: 'after the outage' });
  });
});
