import { expect, test } from '@jest/globals';
import { actionsIn, commandsOf, type HistoryEvent } from '../actions.ts';

/** An event with what it says, and the workflow task whose command caused it. */
function event(name: string, attributes: object = {}, task?: number): HistoryEvent {
  const caused = task === undefined ? {} : { workflowTaskCompletedEventId: task };
  return { [`${name}EventAttributes`]: { ...attributes, ...caused } } as HistoryEvent;
}

const STARTED = event('workflowExecutionStarted');
const upsert = (...names: string[]) =>
  event(
    'upsertWorkflowSearchAttributes',
    { searchAttributes: { indexedFields: Object.fromEntries(names.map((name) => [name, {}])) } },
    4,
  );

test.each([
  ['a start', [STARTED], 1],
  ['workflow tasks', [event('workflowTaskScheduled'), event('workflowTaskStarted')], 0],
  ['an end', [event('workflowExecutionCompleted', {}, 4)], 0],
  [
    'an activity of one attempt',
    [event('activityTaskScheduled', {}, 4), event('activityTaskStarted', { attempt: 1 })],
    1,
  ],
  [
    'an activity of three attempts',
    [event('activityTaskScheduled', {}, 4), event('activityTaskStarted', { attempt: 3 })],
    3,
  ],
  ['markers of one workflow task', [1, 2, 3].map(() => event('markerRecorded', {}, 4)), 1],
  ['markers of two workflow tasks', [4, 9].map((task) => event('markerRecorded', {}, task)), 2],
  [
    'further attempts of local activities',
    [
      event('workflowTaskCompleted', {
        meteringMetadata: { nonfirstLocalActivityExecutionAttempts: 2 },
      }),
    ],
    2,
  ],
  ['two search attributes in one command', [upsert('AgentStatus', 'AgentName')], 1],
  ['the attribute of versioning alone', [upsert('TemporalChangeVersion')], 0],
  ['a timer', [event('timerStarted', {}, 4), event('timerFired')], 1],
  ['a signal', [event('workflowExecutionSignaled')], 1],
  ['an update', [event('workflowExecutionUpdateAccepted')], 1],
  ['a reset', [event('workflowTaskFailed', { cause: 20 })], 1],
  ['a workflow task that failed', [event('workflowTaskFailed', { cause: 1 })], 0],
])('actions of %s: %#', (_what, events, actions) => {
  expect(actionsIn(events)).toBe(actions);
});

test('commands are counted by the events that they left, and no other events are', () => {
  const events = [
    STARTED,
    event('activityTaskScheduled', {}, 4),
    event('activityTaskStarted', { attempt: 1 }),
    event('activityTaskScheduled', {}, 9),
    event('markerRecorded', {}, 9),
    event('workflowExecutionCompleted', {}, 12),
  ];
  expect(Object.fromEntries(commandsOf(events))).toEqual({
    activityTaskScheduled: 2,
    markerRecorded: 1,
    workflowExecutionCompleted: 1,
  });
});
