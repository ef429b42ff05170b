import { DEFAULT_TENANT, workflowIdOf } from '../src/contract/key.ts';
import type { RunEvidence } from './evidence.ts';
import type { Random } from './random.ts';
import type { Effect, ExpectedEffect, Scenario } from './scenario.ts';
import type { Starters } from './starters.ts';

/** When each client process starts a request again, besides at once, in milliseconds. */
const AGAIN_WITHIN_MS = 3_000;

/** The requests that were made so far, and who has been told what. */
export class RunFeed {
  /** Starts that were ordered, duplicates included. */
  starts = 0;
  ended = 0;
  /** When a run was started or ended last, in milliseconds since 1970. */
  lastChange = Date.now();
  readonly #scenario: Scenario;
  readonly #starters: Starters;
  readonly #random: Random;
  readonly #runs = new Map<string, RunEvidence & { awaited: number }>();

  constructor(scenario: Scenario, starters: Starters, random: Random) {
    this.#scenario = scenario;
    this.#starters = starters;
    this.#random = random;
    starters.onTold = (told) => {
      const run = this.#runs.get(told.key);
      if (!run) return;
      run.told.push(told);
      if (run.told.length < run.awaited) return;
      this.ended += 1;
      this.lastChange = Date.now();
    };
  }

  get started(): number {
    return this.#runs.size;
  }

  /** Runs that not everybody has heard the end of. */
  get open(): number {
    return this.#runs.size - this.ended;
  }

  /** The effect that a tool must have in a run. */
  expected(key: string, tool: string): ExpectedEffect | undefined {
    return this.#runs.get(key)?.expected.find((effect) => effect.tool === tool);
  }

  /** The run that must have this effect. */
  workflowOf({ tool, label }: Effect): string | undefined {
    const runs = [...this.#runs.values()];
    return runs.find(({ expected }) =>
      expected.some((effect) => effect.tool === tool && effect.label === label),
    )?.workflowId;
  }

  /** Makes a request, and has every client process start it: at once, and again. */
  startNext(): void {
    const key = `run-${this.#runs.size + 1}`;
    const { agent, input, effects } = this.#scenario.request(key, this.#random);
    const { count } = this.#starters;
    this.#runs.set(key, {
      key,
      workflowId: workflowIdOf({ tenant: DEFAULT_TENANT, agent, key }),
      expected: effects,
      told: [],
      awaited: 2 * count,
    });
    for (let starter = 0; starter < count; starter += 1) {
      const afterMs = [0, this.#random.between(0, AGAIN_WITHIN_MS)];
      this.#starters.order(starter, { request: { agent, key, input }, afterMs });
      this.starts += afterMs.length;
    }
    this.lastChange = Date.now();
  }

  evidence(): RunEvidence[] {
    return [...this.#runs.values()].map(({ key, workflowId, expected, told }) => ({
      key,
      workflowId,
      expected,
      told,
    }));
  }
}
