import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AgentDefinition } from '../src/define/define-agent.ts';
import type { JsonValue } from '../src/contract/json-value.ts';
import type { Random } from './random.ts';

/** An effect that a run must have, once: the tool, and what the other side knows it by. */
export interface Effect {
  tool: string;
  label: string;
}

export interface ChaosRequest {
  agent: string;
  input: JsonValue;
  /** At most one of each tool. */
  effects: ExpectedEffect[];
}

export interface ExpectedEffect extends Effect {
  /** The person denies this call: there must be no effect. For tools with an approval. */
  denied?: boolean;
}

/** A request that reached the shop. */
export interface ShopRequest {
  method: string;
  path: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Parsed JSON, or `undefined`. */
  body: unknown;
}

/** What is tormented, and what is known of it: tools, requests, and how the effects are counted. */
export interface Scenario {
  /** Loaded by the workers too; their tools send their effects to `CHAOS_SHOP_URL`. */
  agents: readonly AgentDefinition[];
  /** The request named `id`, the same for the same numbers. */
  request(id: string, random: Random): ChaosRequest;
  /** Which effect a request to the shop has (or, with GET, looks for); `undefined`: none. */
  effectOf(request: ShopRequest): Effect | undefined;
  /** Transactional tools: makes their tables in the ledger's database. */
  setup?: string;
  /**
   * Transactional tools: a query for their effects, one row `tool, label` each, and, if known, when:
   * `at`, in milliseconds since 1970.
   */
  effectRows?: string;
  /** All tools say that they are about to act (`/arrivals/…`): the kit waits for one that does. */
  announces?: boolean;
}

const OWN = path.join(import.meta.dirname, 'own-scenario.ts');

/**
 * Loads the module that exports a `scenario`; ours by default.
 *
 * @throws {RangeError} there is no such module, or it exports none
 */
export async function loadScenario(file: string = OWN): Promise<Scenario> {
  let loaded: { scenario?: Scenario };
  try {
    loaded = (await import(pathToFileURL(path.resolve(file)).href)) as { scenario?: Scenario };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RangeError(`The scenario ${file} cannot be loaded: ${reason}`, { cause: error });
  }
  if (loaded.scenario === undefined) throw new RangeError(`${file} exports no \`scenario\`.`);
  return loaded.scenario;
}
