import type { Registry } from '../agents/registry.ts';
import type { Ledger } from '../ledger/port.ts';
import type { Model } from '../model/port.ts';
import type { Faults } from './faults.ts';

/** What the activities work with; the worker puts it together. */
export interface ActivityDeps {
  ledger: Ledger;
  model: Model;
  agents: Pick<Registry, 'agent' | 'tools'>;
  /** Price of a call in US dollars, `null` when the model's price is unknown. */
  costUsd(model: string, usage: { inputTokens: number; outputTokens: number }): number | null;
  /** Worker and process, for the person who must know whether it is dead. */
  worker: string;
  faults: Faults;
  /** Tests only: a fresh token in every attempt. */
  withoutTokens: boolean;
}
