import type { RuntimeOptions } from '@temporalio/worker';
import type { ActivityDeps } from '../activities/deps.ts';
import type { Config } from '../config.ts';

/** The parts of a worker that an extra may wrap or replace. */
export type WorkerParts = Pick<ActivityDeps, 'ledger' | 'model' | 'agents' | 'costUsd'>;

/** Called once, before the worker takes work. Its result goes to the next extra. */
export type ExtendWorker = (parts: WorkerParts) => WorkerParts;

/**
 * Called once, before anything is connected to, with the options that the worker has of itself: its
 * logger is in them.
 */
export type ExtendRuntime = (options: RuntimeOptions, config: Config) => RuntimeOptions;
