import { eventually } from '../support/eventually.ts';
import { calls } from '../support/system.ts';
import { playToEnd, requestOf, untilEnd, type Play } from './play.ts';

/** Runs whose tools are all in the fast lane. */
export const playFastLane: Play = async (system, record) => {
  const worker = await system.startWorker();
  const request = requestOf(
    'fast-lane',
    calls(['look', { label: 'one' }], ['charge', { label: 'two' }]),
    calls(['note', { label: 'three' }]),
    { say: 'ok' },
  );
  await record('fast-lane', await playToEnd(system, request));
  await worker.stop();

  // The call is planned by a worker that dies, and taken up by one that lacks the tool.
  const victim = await system.startWorker({ AGENT_ONCE_FAULT: 'before-claim:look' });
  const leaving = requestOf('fast-lane-left', calls(['look', { label: 'four' }]), { say: 'ok' });
  const started = await system.client.start(leaving);
  await victim.ended;
  const lacking = await system.startWorker({ TEST_WITHOUT_EFFECTS: 'read' });
  await eventually(async () => {
    const handle = system.temporal.workflow.getHandle(started.workflowId);
    const { events } = await handle.fetchHistory();
    const scheduled = events?.filter((event) => event.activityTaskScheduledEventAttributes);
    if (scheduled?.length !== 2) throw new Error('The call has not left the lane');
  });
  const other = await system.startWorker();
  await untilEnd(system, leaving);
  await record('fast-lane-left', started);
  await Promise.all([lacking.stop(), other.stop()]);
};

/** A run whose model is in the fast lane as well. */
export const playAllFast: Play = async (system, record) => {
  const worker = await system.startWorker();
  const request = requestOf('all-fast', calls(['look', { label: 'five' }]), { say: 'ok' });
  await record('all-fast', await playToEnd(system, request));
  await worker.stop();
};
