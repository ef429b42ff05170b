/** Workers that are made to die at fault points, besides those at work. */
export const DOOMED = 2;
/** Faults that are under way at once: one in each lane, and one more. */
const AHEAD = DOOMED + 2;

export interface Counts {
  /** Wanted in all. */
  runs: number;
  /** Runs that may be open at once. */
  concurrency: number;
  faults: number;
  /** Faults that were done. */
  done: number;
  started: number;
  open: number;
}

/** Whether another run is to be started now: as many as there are faults, in proportion. */
export function isRunDue({ runs, concurrency, faults, done, started, open }: Counts): boolean {
  const areFaultsDone = done === faults;
  // A fault waits for a run to happen in, whatever the proportion.
  if (open === 0 && !areFaultsDone) return true;
  const share = areFaultsDone ? 1 : Math.min(1, (done + AHEAD) / faults);
  if (started < Math.ceil(runs * share)) return open < concurrency;
  return !areFaultsDone && started >= runs && open < Math.min(6, concurrency);
}
