import type { CountedEffect, StepEvidence, StepNote } from './evidence.ts';
import type { Zombie } from './inject.ts';

/** How many effects of a step are known to be of attempts that acted late. */
export interface Excused {
  /** The process said so itself, in the ledger. */
  noted: number;
  /** Its process was stopped and continued, acted, and was killed before it could say so. */
  killed: number;
}

/** Who acted late notes it at once; with servers away it takes a while. In milliseconds. */
const NOTES_WITHIN_MS = 15_000;
/** The ledger keeps so many errors of a step; with fewer, none is missing. */
const KEPT_ERRORS = 10;
const LATE_ON = /^An attempt on (\d+)@/;

/**
 * Matches each effect with the note of the very process that had it, or with that process's death.
 *
 * @param effects of one step
 * @param steps the step, as the ledger has it
 */
export function excuse(
  effects: readonly CountedEffect[],
  steps: readonly StepEvidence[],
  zombies: readonly Zombie[],
): Excused {
  const notes = steps.flatMap(({ errors }) => errors.filter(isLate).map(processOf));
  const left = [...notes];
  const excused = { noted: 0, killed: 0 };
  for (const effect of effects) {
    if (effect.pid === null) continue;
    const note = left.indexOf(effect.pid);
    if (note >= 0) {
      left.splice(note, 1);
      excused.noted += 1;
    } else if (!notes.includes(effect.pid) && zombies.some((zombie) => diedLate(zombie, effect))) {
      excused.killed += 1;
    }
  }
  // Requests that do not say whose they are: any note that is left may be about them.
  const nameless = effects.filter(({ pid }) => pid === null).length;
  excused.noted += Math.min(nameless, left.length);
  return excused;
}

/**
 * Why an `at-most-once` step ran again when it must not; `undefined`: before each time somebody had
 * said that nothing had happened, a person or the tool (`NotApplied`).
 */
export function whyUnasked(
  effects: readonly CountedEffect[],
  steps: readonly StepEvidence[],
): string | undefined {
  const decided = steps.flatMap(({ didNotHappenAt }) => didNotHappenAt);
  const refused = steps.flatMap(({ errors }) => errors).filter(isNotApplied).length;
  // The effect number n is of the attempt number n at the earliest.
  const times = effects.map(({ at }) => at ?? Infinity).toSorted((a, b) => a - b);
  for (const [again, at] of times.entries()) {
    const allowed = decided.filter((when) => when <= at).length + refused;
    if (allowed < again) {
      return `Effect ${again + 1} came when ${allowed} times somebody had said that nothing had happened.`;
    }
  }
  for (const { attempts, errors, didNotHappenAt } of steps) {
    if (errors.length >= KEPT_ERRORS) continue;
    // Attempts that threw before they began, or with `NotApplied`.
    const givenBack = errors.filter((note) => !isLate(note) && !isDecision(note)).length;
    const allowed = didNotHappenAt.length + givenBack;
    if (attempts - 1 <= allowed) continue;
    return `The ledger has ${attempts} attempts, and only ${allowed} of them may be followed by another.`;
  }
  return undefined;
}

/**
 * Why a call that needs an approval must not have been made; `undefined`: a person had approved it
 * before its first effect.
 *
 * @param denied the person says no to this call
 */
export function whyUnapproved(
  effects: readonly CountedEffect[],
  steps: readonly StepEvidence[],
  denied: boolean,
): string | undefined {
  if (effects.length === 0) return undefined;
  if (denied) return `${effects.length} effects of a call that a person denied.`;
  const approvedAt = Math.min(...steps.flatMap((step) => step.approvedAt));
  const early = effects.filter(({ at }) => at !== null && at < approvedAt).length;
  if (early > 0 || approvedAt === Infinity) {
    return `${early || effects.length} effects of a call that nobody had approved by then.`;
  }
  return undefined;
}

function diedLate({ pid, continuedAt, killedAt }: Zombie, effect: CountedEffect): boolean {
  if (pid !== effect.pid || effect.at === null || continuedAt === null || killedAt === null) {
    return false;
  }
  return effect.at >= continuedAt && killedAt - effect.at < NOTES_WITHIN_MS;
}

function isLate({ code }: StepNote): boolean {
  return code === 'step.late_effect';
}

function isDecision({ code }: StepNote): boolean {
  return code === 'step.did_not_happen';
}

function isNotApplied({ message }: StepNote): boolean {
  return message.startsWith('NotApplied:');
}

function processOf({ message }: StepNote): number | undefined {
  const pid = LATE_ON.exec(message)?.[1];
  return pid === undefined ? undefined : Number(pid);
}
