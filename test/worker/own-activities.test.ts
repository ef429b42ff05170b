import { expect, test } from '@jest/globals';
import { prepareActivities } from '../../src/worker/own-activities.ts';
import { runWorker } from '../../src/worker/run-worker.ts';
import { readConfig } from '../../src/config.ts';

const activity = async (): Promise<string> => 'done';

test.each([
  'callModel',
  'recordDecision',
  'recordEditedApproval',
  'cleanLedger',
  'default',
  'tool.charge',
])('an activity named %s is refused before anything starts', async (name) => {
  const signal = new AbortController().signal;
  const started = runWorker(readConfig({}), {
    agents: [],
    activities: { [name]: activity },
    signal,
  });
  await expect(started).rejects.toMatchObject({
    code: 'agent.invalid',
    message: expect.stringContaining(`may not be named ${name}:`),
  });
});

test('every activity that the engine registers is reserved', async () => {
  const { createActivities } = await import('../../src/activities/create-activities.ts');
  const deps = { cleaning: {}, agents: { tools: () => [{ name: 'charge' }] } };
  const names = Object.keys(createActivities(deps as never));
  expect(names).toHaveLength(7);
  for (const name of names) {
    expect(() => prepareActivities({ [name]: activity })).toThrow(name);
  }
  expect(Object.keys(prepareActivities({ spell: activity }))).toEqual(['spell']);
});

test('an error of an activity that is its own cause ends the activity, not the worker', async () => {
  const first = new Error('first \ud83d');
  first.cause = new Error('second', { cause: first });
  const { spell } = prepareActivities({ spell: () => Promise.reject(first) });
  await expect(spell?.()).rejects.toMatchObject({
    message: 'first \ufffd',
    cause: { message: 'second', cause: undefined },
  });
});
