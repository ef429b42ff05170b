import type { ActivityDeps } from '../activities/deps.ts';

/** The parts of a worker that an extra may wrap or replace. */
export type WorkerParts = Pick<ActivityDeps, 'ledger' | 'model' | 'agents'>;

/** Called once, before the worker takes work. Its result goes to the next extra. */
export type ExtendWorker = (parts: WorkerParts) => WorkerParts;
