import { Gauge, Histogram, type Registry } from 'prom-client';
import { boundedLabels } from './bounded-labels.ts';
import { Tally } from './tally.ts';

/** From a local PostgreSQL to one that is in trouble, in seconds. */
const LEDGER_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** From a cached answer to a long thought, in seconds. */
const MODEL_BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320];

export type Instruments = ReturnType<typeof createInstruments>;

/**
 * What a worker counts. Labels are names of agents, tools and models, and words of ours: no key, no
 * tenant, no text of others.
 */
export function createInstruments(registry: Registry) {
  const registers = [registry];
  return {
    /** For the names of models, which callers may choose. */
    modelLabel: boundedLabels(100),
    claims: new Tally(
      registry,
      'agent_once_step_claims_total',
      "Claims of steps, by the ledger's answer",
      ['kind', 'answer'],
    ),
    steps: new Tally(
      registry,
      'agent_once_steps_total',
      'Ends of attempts of steps, and steps that were recorded already',
      ['agent', 'kind', 'tool', 'effect', 'end'],
    ),
    stepErrors: new Tally(
      registry,
      'agent_once_step_errors_total',
      'Attempts that failed, by cause; each that is not the last is tried again',
      ['agent', 'kind', 'tool', 'code'],
    ),
    ledgerSeconds: new Histogram({
      registers,
      name: 'agent_once_ledger_call_seconds',
      help: 'Calls of the ledger, until the answer or the error',
      labelNames: ['call', 'outcome'],
      buckets: LEDGER_BUCKETS,
    }),
    modelSeconds: new Histogram({
      registers,
      name: 'agent_once_model_call_seconds',
      help: 'Requests to models, until the answer or the error',
      labelNames: ['agent', 'model', 'outcome'],
      buckets: MODEL_BUCKETS,
    }),
    tokens: new Tally(
      registry,
      'agent_once_model_tokens_total',
      'Tokens of the answers that were read; the kinds add up',
      ['agent', 'model', 'kind'],
    ),
    costUsd: new Tally(
      registry,
      'agent_once_model_cost_usd_total',
      'What the answers cost that were read, in US dollars, as far as prices are known',
      ['agent', 'model'],
    ),
    answers: new Tally(
      registry,
      'agent_once_model_answers_total',
      'Whole answers of models that were read, by whether what they cost is known',
      ['agent', 'model', 'cost'],
    ),
    possiblyPaid: new Tally(
      registry,
      'agent_once_model_possibly_paid_total',
      'Requests whose answer nobody has, and which the provider may have charged for',
      ['agent', 'model'],
    ),
  };
}

/** Tells besides how many connections to the ledger there are at the moment of a scrape. */
export function tellConnections(
  registry: Registry,
  ledger: { connections?: { inUse: number; idle: number; waiting: number } },
): void {
  if (!ledger.connections) return;
  new Gauge({
    registers: [registry],
    name: 'agent_once_ledger_connections',
    help: "The ledger's connections, and the callers that wait for one",
    labelNames: ['state'],
    collect() {
      const { inUse = 0, idle = 0, waiting = 0 } = ledger.connections ?? {};
      this.set({ state: 'in_use' }, inUse);
      this.set({ state: 'idle' }, idle);
      this.set({ state: 'waiting' }, waiting);
    },
  });
}

/** Tells which part of the program the process is, and since when: a restart shows by it. */
export function tellStart(registry: Registry, part: string): void {
  new Gauge({
    registers: [registry],
    name: 'agent_once_process_start_time_seconds',
    help: 'When this process began, in seconds since 1970',
    labelNames: ['part'],
  }).set({ part }, Date.now() / 1_000 - process.uptime());
}
