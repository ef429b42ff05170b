import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { defaultPayloadConverter } from '@temporalio/common';
import { LIMITS } from '../../src/contract/limits.ts';
import { eventually } from '../support/eventually.ts';
import { askMany, MANY, untilAllAsked } from '../support/many-questions.ts';
import { calls, script, startTestSystem, type TestSystem } from '../support/system.ts';
import { untilEnd } from '../support/until-end.ts';

let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem();
  await system.startWorker();
});
afterAll(async () => {
  await system.close();
});

/** In bytes, as JSON. */
function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

async function currentDetails(workflowId: string): Promise<string> {
  const metadata = await system.temporal.workflow
    .getHandle(workflowId)
    .query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  // Blanks that keep the columns apart.
  return (metadata.currentDetails ?? '').replaceAll('\u00a0', '');
}

describe('an operator in Temporal UI', () => {
  test('sees what a running run does: turn, tool, tokens, and finds it by its attributes', async () => {
    const { key, workflowId } = await system.client.start({
      agent: 'tester',
      input: script(calls(['charge', { label: 'seen' }]), calls(['endless', {}]), { say: 'never' }),
    });
    await eventually(async () => {
      const state = await system.client.state({ agent: 'tester', key });
      expect(state?.active).toMatchObject([{ step: 't2.c0', activity: 'tool.endless' }]);
    });
    const details = await currentDetails(workflowId);
    expect(details).toContain('**running** · turn 2 of 8 · 2 model calls · 1 tool call');
    expect(details).toContain('| t1.c0 | tool.charge | charge seen | done |');
    expect(details).toContain('| t2.c0 | tool.endless | endless | running |');

    const query = `AgentName = 'tester' AND AgentTenant = 'default' AND AgentStatus = 'running'`;
    await eventually(async () => {
      const found = [];
      for await (const run of system.temporal.workflow.list({ query })) found.push(run.workflowId);
      expect(found).toContain(workflowId);
    });
    await system.client.cancel({ agent: 'tester', key });
    await untilEnd(system.client, { agent: 'tester', key });
    await eventually(async () => {
      const { typedSearchAttributes } = await system.temporal.workflow
        .getHandle(workflowId)
        .describe();
      expect(typedSearchAttributes.getAll()).toContainEqual(
        expect.objectContaining({ value: 'cancelled' }),
      );
    });
    expect(await currentDetails(workflowId)).toContain('**cancelled**');
  });

  test('sees the first of forty questions of one turn, with errors of six kilobytes: memo and details stay small', async () => {
    const many = askMany('many');
    await untilAllAsked(system, many.key);
    const handle = system.temporal.workflow.getHandle(`agent-tester-${many.key}`);
    const { memo } = await handle.describe();
    expect(memo).toMatchObject({ waitingMore: MANY - LIMITS.memoQuestions });
    expect(memo?.['waiting']).toHaveLength(LIMITS.memoQuestions);
    expect(sizeOf(memo)).toBeLessThan(LIMITS.memoQuestionsBytes + 1_000);

    const details = await currentDetails(handle.workflowId);
    expect(Buffer.byteLength(details)).toBeLessThanOrEqual(LIMITS.detailsBytes);
    expect(details).toMatch(/- and \d+ more: `agent-once status tester many`/);
    const state = await system.client.state(many);
    expect(state?.active).toHaveLength(MANY);
    expect(sizeOf(state)).toBeLessThan(MANY * 4_000);

    // Each is a part of what a workflow task answers, of which the server takes 4 MiB. Most say only
    // how many more there are.
    const { events } = await handle.fetchHistory();
    const written = (events ?? []).flatMap(
      ({ workflowPropertiesModifiedEventAttributes: memos }) => (memos ? [sizeOf(memos)] : []),
    );
    expect(written).toHaveLength(MANY);
    expect(Math.max(...written)).toBeLessThan(4 * LIMITS.memoQuestionsBytes);
    expect(written.filter((bytes) => bytes < 1_000).length).toBeGreaterThan(0);
    await system.client.cancel(many);
    expect(await untilEnd(system.client, many)).toMatchObject({ status: 'cancelled', waiting: [] });
    expect((await handle.describe()).memo).not.toHaveProperty('waiting');
  });

  test('sees what a waiting run asks, and the commands that answer it', async () => {
    system.counter.drop('send:seen');
    const wanted = calls(['send', { label: 'seen' }], ['spend', { label: 'seen', amount: 100 }]);
    const { key, workflowId } = await system.client.start({
      agent: 'tester',
      input: script(wanted, { say: 'ok' }),
    });
    await eventually(async () => {
      const view = await system.client.describe({ agent: 'tester', key });
      expect(view.waiting).toHaveLength(2);
    });
    const details = await currentDetails(workflowId);
    expect(details).toContain('**waiting** · turn 1 of 8');
    expect(details).toMatch(
      /- `t1\.c0` send · send seen: did it happen\? Begun by \d+\\@.* threw: /,
    );
    expect(details).toContain(`\`agent-once resolve tester ${key} t1.c0 --did-not-happen\``);
    expect(details).toMatch(
      /- `t1\.c1` spend · .*: may it run\? Unless answered by .*Z, it is denied/,
    );
    expect(details).toContain(`\`agent-once approve tester ${key} t1.c1\``);
    expect(details).toContain('| t1.c1 | tool.spend | spend 100 on seen | waiting |');

    const answer = { by: 'ann', step: 't1.c0', decision: 'happened' } as const;
    await system.client.decide({ agent: 'tester', key }, answer);
    expect(await currentDetails(workflowId)).not.toContain('resolve');
    await system.client.cancel({ agent: 'tester', key });
  });

  test('sees tools by name, a line on each step, and turns as groups in the history', async () => {
    const { key, workflowId } = await system.client.start({
      agent: 'tester',
      input: script(calls(['charge', { label: 'h' }], ['look', { label: 'h' }]), { say: 'ok' }),
    });
    await untilEnd(system.client, { agent: 'tester', key });
    const { events } = await system.temporal.workflow.getHandle(workflowId).fetchHistory();
    const steps = (events ?? []).flatMap((event) => {
      const type = event.activityTaskScheduledEventAttributes?.activityType?.name;
      if (!type) return [];
      const summary = event.userMetadata?.summary;
      return [[type, summary ? defaultPayloadConverter.fromPayload(summary) : '']];
    });
    expect(steps).toEqual([
      ['callModel', 'turn 1'],
      ['tool.charge', 'turn 1 · charge h'],
      ['tool.look', 'turn 1 · look at h'],
      ['callModel', 'turn 2'],
    ]);
    const groups = (events ?? []).flatMap((event) =>
      event.activityTaskScheduledEventAttributes
        ? [event.eventGroupMarkers?.[0]?.label?.label]
        : [],
    );
    expect(groups).toEqual([
      expect.anything(),
      expect.anything(),
      expect.anything(),
      expect.anything(),
    ]);
  });

  test('sees a preview of results, or nothing where the agent shows none', async () => {
    const input = script(calls(['charge', { label: 'preview' }]), { say: 'ok' });
    const previews = await Promise.all(
      ['tester', 'discreet'].map(async (agent) => {
        const { key, workflowId } = await system.client.start({ agent, input });
        await untilEnd(system.client, { agent, key });
        const { events } = await system.temporal.workflow.getHandle(workflowId).fetchHistory();
        return JSON.stringify(
          (events ?? []).flatMap(
            (event) =>
              event.activityTaskCompletedEventAttributes?.result?.payloads?.map((payload) =>
                defaultPayloadConverter.fromPayload(payload),
              ) ?? [],
          ),
        );
      }),
    );
    expect(previews[0]).toContain('charge:preview');
    expect(previews[1]).not.toContain('charge:preview');
  });

  test('sees a history that grows by a constant per turn, however long the conversation', async () => {
    const size = async (turns: number) => {
      const answers = Array.from({ length: turns }, (_, i) =>
        calls(['look', { label: `grow-${i}` }]),
      );
      const { key, workflowId } = await system.client.start({
        agent: 'tester',
        input: script(...answers, { say: 'ok' }),
      });
      await untilEnd(system.client, { agent: 'tester', key });
      const { raw } = await system.temporal.workflow.getHandle(workflowId).describe();
      const { events } = await system.temporal.workflow.getHandle(workflowId).fetchHistory();
      const inputs = (events ?? []).flatMap((event) => {
        const scheduled = event.activityTaskScheduledEventAttributes;
        if (scheduled?.activityType?.name !== 'callModel') return [];
        return [scheduled.input?.payloads?.[0]?.data?.length ?? 0];
      });
      return { events: Number(raw.workflowExecutionInfo?.historyLength), inputs };
    };
    const long = await size(7);
    const short = await size(3);
    expect((long.events - short.events) / 4).toBeLessThanOrEqual(12);
    // The first has the input; after it, each turn's request is as small as the one before.
    expect(Math.max(...long.inputs.slice(1))).toBeLessThan(Math.min(...long.inputs.slice(1)) + 16);
  });
});
