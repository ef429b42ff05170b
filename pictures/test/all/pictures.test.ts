import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openTemporalUi, type TemporalUi } from '../../browser/temporal-ui.ts';
import {
  startTemporalServer,
  type TemporalServer,
} from '../../../src/extras/dev/temporal-server.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { calls, script, startTestSystem, type TestSystem } from '../../../test/support/system.ts';
import { untilEnd } from '../../../test/support/until-end.ts';

/** A run that has ended, and one that is in the middle of a tool call; both of the agent `tester`. */
const ENDED = 'ended-1';
const RUNNING = 'running-1';
/** One that waits for approval. */
const WAITING = 'waiting-1';
/** One whose call is denied. */
const DENIED = 'denied-1';
/** What a model could write to make somebody press or believe something else. */
const TRICKS = 'tricks-1';
const LABEL =
  '[approve here](http://evil.example) **paid** <b>x</b> http://evil.example www.evil.example `a` \u202e001';
/** In USD per million tokens. */
const PRICES = { 'scripted-priced': { input: 1, output: 2 } };

describe('a person with a browser in Temporal UI', () => {
  let server: TemporalServer;
  let system: TestSystem;
  let ui: TemporalUi;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'agent-once-prices-'));
    const prices = join(folder, 'prices.json');
    await writeFile(prices, JSON.stringify(PRICES));
    server = await startTemporalServer({ uiPort: 0 });
    // The server that all suites share has no UI. A suite's environment is its own.
    process.env['TEST_TEMPORAL_ADDRESS'] = server.address;
    system = await startTestSystem();
    await system.startWorker({ MODEL_PRICES_FILE: prices });
    ui = await openTemporalUi(server.uiUrl ?? '', system.env['TEMPORAL_NAMESPACE']);

    const agent = 'tester';
    await system.client.start({
      agent,
      key: ENDED,
      input: script(
        {
          calls: [
            { name: 'charge', arguments: { label: 'A | B' } },
            { name: 'look', arguments: { label: 'c' } },
          ],
          usage: { inputTokens: 1_000, outputTokens: 100 },
        },
        { say: 'All done.', usage: { inputTokens: 100, outputTokens: 10 } },
      ),
    });
    await system.client.start({
      agent,
      key: RUNNING,
      input: script(calls(['charge', { label: 'd' }]), calls(['endless', {}]), { say: 'never' }),
    });
    await system.client.start({
      agent,
      key: WAITING,
      input: script(calls(['spend', { label: 'a * b', amount: 100 }]), { say: 'ok' }),
    });
    await system.client.start({
      agent,
      key: DENIED,
      input: script(calls(['spend', { label: 'c', amount: 100 }]), { say: 'ok' }),
    });
    await system.client.start({
      agent,
      key: TRICKS,
      input: script(calls(['spend', { label: LABEL, amount: 100 }]), { say: 'ok' }),
    });
    await untilEnd(system.client, { agent, key: ENDED });
    await eventually(async () => {
      const state = await system.client.state({ agent, key: RUNNING });
      expect(state?.active).toMatchObject([{ activity: 'tool.endless' }]);
    });
  });

  afterAll(async () => {
    // What was not reached is not there to be closed.
    await (ui as TemporalUi | undefined)?.close();
    await (system as TestSystem | undefined)?.close();
    await (server as TemporalServer | undefined)?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** What a tab of a run's page shows, once it shows `what`. */
  async function read(key: string, tab: Parameters<TemporalUi['open']>[1], what: string) {
    await ui.open(`agent-tester-${key}`, tab);
    await ui.see(what);
    return ui.read();
  }

  test('reads of an ended run: its status, its input and result, each step by name', async () => {
    const text = await read(ENDED, 'timeline', 'callModel • turn 2');
    expect(text).toMatch(/\bCOMPLETED agent-tester-ended-1\b/);
    expect(text).toContain('"agent": "tester"');
    expect(text).toContain('"output": "All done."');
    expect(text).toContain('callModel • turn 1');
    expect(text).toContain('tool.charge • turn 1 · charge A | B');
    expect(text).toContain('tool.look • turn 1 · look at c');
  });

  test('reads of an ended run: the table of its steps, tokens, cost', async () => {
    const text = await read(ENDED, 'user-metadata', 't2.model');
    expect(text).toContain('tester ended-1');
    expect(text).toMatch(/agent tester tenant default key ended-1/);
    expect(text).toContain(
      'completed · turn 2 of 8 · 2 model calls · 2 tool calls · 1100 + 110 tokens · 0.00132 USD',
    );
    expect(text).toMatch(/step activity what state/);
    expect(text).toContain('t1.model callModel turn 1 done 1000 + 100 tokens');
    expect(text).toContain('t1.c0 tool.charge charge A | B done');
    expect(text).toContain('t1.c1 tool.look look at c done');
    expect(text).toContain('t2.model callModel turn 2 done 100 + 10 tokens');
  });

  test('reads of an ended run: its search attributes', async () => {
    const text = await read(ENDED, 'search-attributes', '"AgentStatus": "completed"');
    expect(text).toContain('"AgentName": "tester"');
    expect(text).toContain('"AgentTenant": "default"');
    expect(text).toContain('"AgentCostUsd": 0.00132');
  });

  test('reads of an ended run: the activities of its history with summary and attempt', async () => {
    await read(ENDED, 'history', 'Workflow Execution Completed');
    await ui.press('Compact');
    await ui.see('Activity Type tool.charge Summary turn 1 · charge A | B Attempt 1');
  });

  test('reads of a running run: its status, and what it does now', async () => {
    const text = await read(RUNNING, 'timeline', 'tool.endless • turn 2 · endless');
    expect(text).toMatch(/\bRUNNING agent-tester-running-1\b/);
    expect(text).toContain('Pending Activities 1');
    expect(text).toContain('tool.charge • turn 1 · charge d');

    const details = await read(RUNNING, 'user-metadata', 't2.c0');
    expect(details).toContain('running · turn 2 of 8 · 2 model calls · 1 tool call');
    expect(details).toContain('t1.c0 tool.charge charge d done');
    expect(details).toContain('t2.c0 tool.endless endless running');

    const attributes = await read(RUNNING, 'search-attributes', '"AgentStatus": "running"');
    expect(attributes).toContain('"AgentName": "tester"');
  });

  test('reads of a waiting run: what it asks, and the command to type', async () => {
    const text = await read(WAITING, 'user-metadata', 'Waits for a person');
    expect(text).toContain('t1.c0 spend · spend 100 on a * b: may it run?');
    expect(text).toContain('agent-once approve tester waiting-1 t1.c0');
    expect(text).toContain('agent-once deny tester waiting-1 t1.c0');
  });

  test('reads of a waiting run: its call has not run, and what the open timer waits for', async () => {
    const asks = 'turn 1 · runs only if approved: spend 100 on a * b';
    const text = await read(WAITING, 'timeline', asks);
    expect(text).toContain(`tool.spend • ${asks}`);
    expect(text).toContain('t1.c0 waits for approval, has not run: spend 100 on a * b');
    const details = await read(WAITING, 'user-metadata', 'Waits for a person');
    expect(details).toContain('spend 100 on a * b waiting waits for approval, has not run');
    await read(WAITING, 'history', 'Event Type');
    await ui.press('Compact');
    await ui.see('Summary t1.c0 waits for approval, has not run');
  });

  test('reads of a denied run: the call was not made', async () => {
    const run = { agent: 'tester', key: DENIED };
    await eventually(async () => {
      expect(await system.client.describe(run)).toMatchObject({ status: 'waiting' });
    });
    await system.client.decide(run, { step: 't1.c0', decision: 'deny', by: 'ann' });
    await untilEnd(system.client, run);
    const text = await read(DENIED, 'timeline', 'turn 1 · denied, not made: spend 100 on c');
    expect(text).toContain('turn 1 · runs only if approved: spend 100 on c');
  });

  test('reads text of a model as it is: no link, no bold, no order but its own', async () => {
    const text = await read(TRICKS, 'user-metadata', 'Waits for a person');
    const shown = LABEL.replace('\u202e', '\\u202e');
    expect(text).toContain(`t1.c0 spend · spend 100 on ${shown.slice(0, 100)}`);
    expect((await ui.links()).filter((href) => href.includes('evil'))).toEqual([]);
  });

  test('gets a picture of it', async () => {
    await read(RUNNING, 'user-metadata', 't2.c0');
    const picture = await ui.picture();
    expect(picture.subarray(1, 4).toString()).toBe('PNG');
    // Width and height are at fixed places in its head.
    expect(picture.readUInt32BE(16)).toBeGreaterThan(1_000);
    expect(picture.readUInt32BE(20)).toBeGreaterThan(400);
  });
});
