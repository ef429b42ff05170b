import type { Random } from '../chaos/random.ts';
import type { JsonValue } from '../src/contract/json-value.ts';

export const OPERATIONS = ['start', 'status', 'cancel', 'resume', 'forget', 'decide'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** The ways in which people reach the system. */
export const SURFACES = ['http', 'library', 'command'] as const;
export type Surface = (typeof SURFACES)[number];

/** A key that the processes fight over, and what is asked under it. */
export interface FuzzedKey {
  key: string;
  /** Two requests: the second one under the key of the first is a conflict, until it is forgotten. */
  inputs: [JsonValue, JsonValue];
}

/** What a process does next. */
export interface Order {
  operation: Operation;
  key: string;
  input: JsonValue;
  /** Of `start` and `resume`; 1: the run fails after its first turn, and can be resumed. */
  maxTurns: number;
  /** Of `start`: resumes the run if it has failed. */
  retryFailed: boolean;
  /** Of `decide`: yes or no to a call that needs an approval. */
  approves: boolean;
  /** What the process waits before it, in milliseconds. */
  pauseMs: number;
}

/** How often each is done, of a hundred times. */
const WEIGHTS: readonly (readonly [Operation, number])[] = [
  ['start', 40],
  ['status', 10],
  ['cancel', 12],
  ['resume', 12],
  ['forget', 12],
  ['decide', 14],
];
const ENOUGH_TURNS = 8;
const LONGEST_PAUSE_MS = 150;

/** The next thing to do: the same ones in the same order for the same numbers. */
export function nextOrder(keys: readonly FuzzedKey[], random: Random): Order {
  const chosen = random.pick(keys);
  if (!chosen) throw new RangeError('There is no key');
  let left = random.between(1, 100);
  const operation =
    WEIGHTS.find(([, weight]) => {
      left -= weight;
      return left <= 0;
    })?.[0] ?? 'start';
  return {
    operation,
    key: chosen.key,
    input: chosen.inputs[random.between(1, 100) <= 15 ? 1 : 0],
    maxTurns: operation === 'start' && random.between(1, 100) <= 15 ? 1 : ENOUGH_TURNS,
    retryFailed: random.between(1, 100) <= 20,
    approves: random.between(1, 100) <= 80,
    pauseMs: random.between(0, LONGEST_PAUSE_MS),
  };
}
