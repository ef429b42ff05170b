import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { receipt, type Shop } from '../chaos/shop.ts';
import type { AgentOnceClient } from '../src/client/agent-once-client.ts';
import type { DecisionInput, OpenQuestion } from '../src/contract/decision.ts';
import { AgentOnceError } from '../src/contract/errors.ts';
import type { FuzzedKey } from './operations.ts';

const LOOKS_EVERY_MS = 400;
/** A request that was given up a moment ago may still be on its way to the shop. */
const LOOKS_NO_EARLIER_MS = 2_000;

export interface PersonOptions {
  client: AgentOnceClient;
  agent: string;
  ledgerUrl: string;
  shop: Shop;
  keys: readonly FuzzedKey[];
}

/**
 * Somebody who looks up in the shop how a call ended that nobody knows the outcome of, by the token of
 * that very step, and says so. Approves what waits for it, while told to.
 */
export class Person {
  /** The client processes answer what waits for an approval, where this is `false`. */
  approves = true;
  answers = 0;
  readonly #options: PersonOptions;
  readonly #sql: pg.Pool;
  readonly #stopping = new AbortController();
  readonly #looking: Promise<void>;

  constructor(options: PersonOptions) {
    this.#options = options;
    this.#sql = new pg.Pool({ connectionString: options.ledgerUrl, max: 2 });
    this.#sql.on('error', () => undefined);
    this.#looking = this.#look();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#looking;
    await this.#sql.end();
  }

  async #look(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      for (const { key } of this.#options.keys) {
        try {
          await this.#answer(key);
        } catch (error) {
          // The run has gone on, or somebody else was quicker: the next look finds out.
          if (!(error instanceof AgentOnceError)) throw error;
        }
      }
      await sleep(LOOKS_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #answer(key: string): Promise<void> {
    const { client, agent } = this.#options;
    const { workflowId, waiting } = await client.describe({ agent, key });
    for (const question of waiting) {
      const decision = await this.#decisionOn(workflowId, question);
      if (!decision) continue;
      await client.decide({ agent, key }, decision);
      this.answers += 1;
    }
  }

  async #decisionOn(
    workflowId: string,
    { step, round, kind, tool, askedAt }: OpenQuestion,
  ): Promise<DecisionInput | undefined> {
    const by = 'the person of the fuzz';
    if (kind === 'approval') {
      return this.approves ? { step, round, decision: 'approve', by } : undefined;
    }
    if (Date.now() - Date.parse(askedAt) < LOOKS_NO_EARLIER_MS) return undefined;
    const { rows } = await this.#sql.query<{ scope: string }>(
      `SELECT scope FROM agent_once.questions
       WHERE workflow_id = $1 AND step = $2 AND kind = 'outcome' AND round = $3 AND decision IS NULL
       ORDER BY asked_at DESC LIMIT 1`,
      [workflowId, step, round],
    );
    const [asked] = rows;
    if (!asked) return undefined;
    const token = `${asked.scope}:${step}`;
    const found = this.#options.shop.effects.find(
      (effect) => effect.tool === tool && effect.key === token,
    );
    return found
      ? { step, round, decision: 'happened', result: receipt(found), by }
      : { step, round, decision: 'did-not-happen', by };
  }
}
