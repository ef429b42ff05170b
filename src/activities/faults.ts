/**
 * Places where a test makes the process die, in the order in which a step passes them:
 * nothing claimed; claimed, nothing done; done, not recorded; recorded, not reported to Temporal
 * (twice: before and after the last line of the activity).
 */
export const FAULT_POINTS = [
  'before-claim',
  'after-claim',
  'after-effect',
  'after-record',
  'before-report',
] as const;
export type FaultPoint = (typeof FAULT_POINTS)[number];

/**
 * Called at each fault point with the step's name (a tool's, or `model`) and its attempt. Dies, or
 * returns.
 */
export type Faults = (point: FaultPoint, name: string, attempt: number) => void;

/**
 * The fault that `AGENT_ONCE_FAULT` asks for, such as `after-effect:issue_refund`: SIGKILL at that
 * point. A step's first attempt only, so that the attempt after it can be watched.
 *
 * @throws {RangeError} when the setting names no fault point
 */
export function createFaults(setting: string | undefined): Faults {
  if (setting === undefined) return () => {};
  const [wanted, target] = setting.split(':');
  if (!FAULT_POINTS.some((point) => point === wanted) || !target) {
    throw new RangeError(
      `AGENT_ONCE_FAULT is not of the form point:name; points are ${FAULT_POINTS.join(', ')}.`,
    );
  }
  return (point, name, attempt) => {
    if (point !== wanted || name !== target || attempt > 1) return;
    // SIGKILL is not delivered before this line returns on every platform: do nothing further.
    process.kill(process.pid, 'SIGKILL');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  };
}
