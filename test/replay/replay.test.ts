import { readdirSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { WorkflowBundleOption } from '@temporalio/worker';
import { workflowBundle } from '../../src/worker/workflow-code.ts';
import {
  HISTORIES,
  kindsFound,
  kindsOf,
  readHistory,
  VERSIONS,
  type Kind,
  type RecordedEvent,
  type RecordedHistory,
} from './recorded.ts';
import { installRuntime, REFUSED, replay as replayWith } from './replay.ts';

let bundle: WorkflowBundleOption;

beforeAll(async () => {
  installRuntime();
  // The engine's workflows, and an app's own beside them.
  bundle = await workflowBundle(path.resolve(import.meta.dirname, '../support/own-app'));
});

/** By the workflow code of today. */
const replay = (history: RecordedHistory): Promise<void> => replayWith(bundle, history);

test('every version that was recorded is there', () => {
  expect(readdirSync(HISTORIES).sort()).toEqual([...VERSIONS].sort());
});

describe.each(VERSIONS)('version %s', (version) => {
  const kinds = kindsOf(version);

  test('has a history of every kind that was recorded', () => {
    expect(kindsFound(version).sort()).toEqual(kinds.map(({ kind }) => kind).sort());
  });

  test.each(kinds)('is replayed: $holds', async ({ kind }) => {
    await replay(readHistory(version, kind));
  });
});

describe('a history that the workflow code does not fit is refused:', () => {
  const refused = { ...REFUSED, message: expect.stringMatching(REFUSED.message) };
  const scheduled = ({ activityTaskScheduledEventAttributes }: RecordedEvent) =>
    activityTaskScheduledEventAttributes as { activityType: { name: string } } | undefined;
  const read = (kind: Kind): RecordedHistory => readHistory('0.1.0', kind);

  test('another tool was called', async () => {
    const history = read('completed');
    for (const event of history.events) {
      const type = scheduled(event)?.activityType;
      if (type?.name === 'tool.charge') type.name = 'tool.note';
    }
    await expect(replay(history)).rejects.toMatchObject(refused);
  });

  test('a call was not made', async () => {
    const { events } = read('completed');
    const call = events.find((event) => scheduled(event)?.activityType.name === 'tool.charge');
    const history = without(events, (event) => event === call || refersTo(event, call?.eventId));
    expect(history.events).toHaveLength(events.length - 3);
    await expect(replay(history)).rejects.toMatchObject(refused);
  });

  test('a call in the fast lane was not made', async () => {
    const { events } = read('fast-lane');
    const marker = events.find((event) => event['markerRecordedEventAttributes'] !== undefined);
    const history = without(events, (event) => event === marker);
    await expect(replay(history)).rejects.toMatchObject(refused);
  });

  test('a question had no deadline', async () => {
    const { events } = read('approved');
    const timer = events.find((event) => event['timerStartedEventAttributes'] !== undefined);
    const history = without(events, (event) => event === timer || refersTo(event, timer?.eventId));
    expect(history.events).toHaveLength(events.length - 2);
    await expect(replay(history)).rejects.toMatchObject(refused);
  });
});

/** Whether an event belongs to the activity or the timer that another event began. */
function refersTo(event: RecordedEvent, eventId: string | undefined): boolean {
  const attributes = Object.entries(event).find(([name]) => name.endsWith('EventAttributes'))?.[1];
  const { scheduledEventId, startedEventId } = attributes as {
    scheduledEventId?: string;
    startedEventId?: string;
  };
  return [scheduledEventId, startedEventId].includes(eventId ?? 'none');
}

/** A history as it would be if these events had never been: the others are numbered anew. */
function without(
  events: RecordedEvent[],
  isLeftOut: (event: RecordedEvent) => boolean,
): RecordedHistory {
  const kept = events.filter((event) => !isLeftOut(event));
  const numbers = new Map(kept.map(({ eventId }, index) => [eventId, String(index + 1)]));
  const renumbered = JSON.stringify({ events: kept }, (name, value: unknown) =>
    /eventId$/i.test(name) ? (numbers.get(String(value)) ?? value) : value,
  );
  return JSON.parse(renumbered) as RecordedHistory;
}
