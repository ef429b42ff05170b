import type { Registry } from '../define/registry.ts';
import type { LedgerCleaner } from '../ledger/cleaner.ts';
import type { Ledger } from '../ledger/port.ts';
import type { Model, ModelUsage } from '../model/port.ts';
import type { Faults } from './faults.ts';
import type { Transcripts } from './model/transcripts.ts';
import type { WorkerLease } from './step/worker-lease.ts';
import type { RetainedRuns } from './retained-runs.ts';

/** What the activities work with; the worker puts it together. */
export interface ActivityDeps {
  ledger: Ledger;
  model: Model;
  agents: Pick<Registry, 'agent' | 'tools'>;
  /**
   * Price of a call in US dollars, `null` when the model's price is unknown.
   *
   * @param endpoint name of the app's endpoint that answered; absent: the one of the environment
   */
  costUsd(model: string, usage: ModelUsage, endpoint?: string): number | null;
  /** One for all of a process's activities. */
  transcripts: Transcripts;
  /** What its claims hang on. Absent: the ledger's backend has step leases alone. */
  lease?: WorkerLease;
  /** Whether Temporal's server itself tells workers of cancellations. */
  pushed: boolean;
  /** Whether an execution is still open. Throws where Temporal does not answer. */
  isOpen(execution: { workflowId: string; runId: string }): Promise<boolean>;
  /** Worker and process, for the person who must know whether it is dead. */
  worker: string;
  /**
   * Aborts when the worker stops and the time that it leaves its steps is over. Temporal tells this
   * to ordinary activities, and not to local ones.
   */
  stopped: AbortSignal;
  /**
   * Whether the worker stops since code of one of its steps threw and nobody knows of which: the
   * attempt of a step that does not end by itself counts then, or it would be repeated for ever.
   */
  suspected(): boolean;
  faults: Faults;
  /** Absent: the ledger's backend does not know how to clean. */
  cleaning?: {
    cleaner: LedgerCleaner;
    runs: RetainedRuns;
  };
  /** Shadow runs are the only ones that may run here. */
  shadowOnly: boolean;
}
