import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { AgentDefinition } from '../../define/define-agent.ts';
import { boundedLabels } from './bounded-labels.ts';

/** From a local PostgreSQL to one that is in trouble, in seconds. */
const LEDGER_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** From a cached answer to a long thought, in seconds. */
const MODEL_BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320];

/** They add up to all tokens of an answer. */
const TOKEN_KINDS = ['input', 'cached_input', 'cache_write', 'output', 'reasoning'] as const;
export type TokenKind = (typeof TOKEN_KINDS)[number];

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
    claims: new Counter({
      registers,
      name: 'agent_once_step_claims_total',
      help: "Claims of steps, by the ledger's answer",
      labelNames: ['kind', 'answer'],
    }),
    steps: new Counter({
      registers,
      name: 'agent_once_steps_total',
      help: 'Ends of attempts of steps, and steps that were recorded already',
      labelNames: ['agent', 'kind', 'tool', 'effect', 'end'],
    }),
    stepErrors: new Counter({
      registers,
      name: 'agent_once_step_errors_total',
      help: 'Attempts that failed, by cause; each that is not the last is tried again',
      labelNames: ['agent', 'kind', 'tool', 'code'],
    }),
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
    tokens: new Counter({
      registers,
      name: 'agent_once_model_tokens_total',
      help: 'Tokens of the answers that were read; the kinds add up',
      labelNames: ['agent', 'model', 'kind'],
    }),
    costUsd: new Counter({
      registers,
      name: 'agent_once_model_cost_usd_total',
      help: 'What the answers cost that were read, in US dollars, as far as prices are known',
      labelNames: ['agent', 'model'],
    }),
    answers: new Counter({
      registers,
      name: 'agent_once_model_answers_total',
      help: 'Whole answers of models that were read, by whether what they cost is known',
      labelNames: ['agent', 'model', 'cost'],
    }),
    possiblyPaid: new Counter({
      registers,
      name: 'agent_once_model_possibly_paid_total',
      help: 'Requests whose answer nobody has, and which the provider may have charged for',
      labelNames: ['agent', 'model'],
    }),
  };
}

/**
 * Begins the series of what agents cost at 0. Prometheus sees an increase between two values only: of
 * one that begins with its first answer, the price of that would be in no sum.
 */
export function beginModels(
  { answers, costUsd, tokens, possiblyPaid, modelLabel }: Instruments,
  agents: readonly AgentDefinition[],
  defaultModel: string,
): void {
  for (const { name: agent, model = defaultModel, fallbacks = [] } of agents) {
    for (const each of [model, ...fallbacks]) {
      const labels = { agent, model: modelLabel(each) };
      costUsd.inc(labels, 0);
      possiblyPaid.inc(labels, 0);
      for (const cost of ['known', 'unknown']) answers.inc({ ...labels, cost }, 0);
      for (const kind of TOKEN_KINDS) tokens.inc({ ...labels, kind }, 0);
    }
  }
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
