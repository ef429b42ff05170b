import { sha256Hex } from '../../contract/hash.ts';
import { toolStep } from '../../contract/step.ts';
import type { EarlierStep, Ledger } from '../../ledger/port.ts';
import { asTurnRecord } from './turn-record.ts';

/** Characters of JSON that are kept, of all runs together. */
const KEPT_LENGTH = 32 * 1024 * 1024;

/** The recorded steps of a run, by their turn and their name. */
type Turns = Map<number, Map<string, EarlierStep>>;

interface Known {
  turns: Turns;
  length: number;
  /** The last turn whose answer this process has recorded itself, and when; see `Date.now`. */
  answered?: { turn: number; at: number };
}

/**
 * What this process knows of its runs' turns, since it has recorded or read them: a model step need not
 * read what was written here a moment ago. Each claim says what the ledger holds, and nothing is used
 * that differs from it. The runs that were asked for longest ago are forgotten first.
 */
export class Transcripts {
  readonly #runs = new Map<string, Known>();
  #length = 0;

  /**
   * Begins to read the turns before one that are not known whole.
   *
   * @returns gives all steps before the turn; `held`: `heldState` of them, as the claim says it.
   *   Without it nothing is kept
   */
  before(ledger: Ledger, scope: string, turn: number): (held?: string) => Promise<EarlierStep[]> {
    const turns: Turns = this.#runs.get(scope)?.turns ?? new Map();
    let from = 1;
    while (from < turn && isWhole(turns, from)) from += 1;
    const known = [...turns].flatMap(([of, steps]) => (of < from ? [...steps.values()] : []));
    const reading = from === turn ? undefined : ledger.earlier(scope, turn, from);
    // Its failure is the step's, once there is a claim; without one nobody asks.
    reading?.catch(() => {});
    return async (held) => {
      let steps = [...known, ...((await reading) ?? [])];
      if (known.length > 0 && heldState(steps) !== held) {
        this.forget(scope);
        steps = await ledger.earlier(scope, turn);
      }
      if (turn > 1 && heldState(steps) === held) this.keep(scope, steps);
      return steps;
    };
  }

  /** Whether anything is known of a run. */
  has(scope: string): boolean {
    return this.#runs.has(scope);
  }

  /** Keeps the answer of a turn, which this process has recorded just now. */
  answered(scope: string, turn: number, step: EarlierStep): void {
    this.keep(scope, [step]);
    const run = this.#runs.get(scope);
    if (run) run.answered = { turn, at: Date.now() };
  }

  /** When this process has recorded a turn's answer: no call of it can have begun before. */
  answeredAt(scope: string, turn: number): number | undefined {
    const answered = this.#runs.get(scope)?.answered;
    return answered?.turn === turn ? answered.at : undefined;
  }

  /** Keeps steps as they are recorded. */
  keep(scope: string, steps: readonly EarlierStep[]): void {
    const run: Known = this.#runs.get(scope) ?? { turns: new Map(), length: 0 };
    this.#length -= run.length;
    for (const step of steps) {
      const turn = Number(/\d+/.exec(step.step)?.[0]);
      const own = run.turns.get(turn) ?? new Map<string, EarlierStep>();
      run.turns.set(turn, own);
      if (!own.has(step.step)) run.length += JSON.stringify([step.request, step.result]).length;
      own.set(step.step, step);
    }
    this.#length += run.length;
    this.#runs.delete(scope);
    this.#runs.set(scope, run);
    for (const [oldest] of this.#runs) {
      if (this.#length <= KEPT_LENGTH) break;
      this.forget(oldest);
    }
  }

  forget(scope: string): void {
    this.#length -= this.#runs.get(scope)?.length ?? 0;
    this.#runs.delete(scope);
  }
}

/** Whether a turn's answer is known, and the end of each call that it has planned. */
function isWhole(turns: Turns, turn: number): boolean {
  const steps = turns.get(turn);
  const result = steps?.get(`t${turn}.model`)?.result;
  if (steps === undefined || result === undefined || result === null) return false;
  return asTurnRecord(result).planned.every(({ index }) => steps.has(toolStep(turn, index)));
}

/** What tells one state of these steps from any other: see `ClaimAnswer`. */
function heldState(steps: readonly EarlierStep[]): string {
  const lines = steps.map(({ step, state, nonce }) => `${step} ${state} ${nonce ?? ''}`);
  return sha256Hex(lines.sort().join('\n'));
}
