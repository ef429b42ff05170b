import { canonicalJson } from '../src/contract/json.ts';
import { EFFECTS, type Effect as EffectClass } from '../src/contract/step.ts';
import type { CountedEffect, Evidence, RunEvidence, StepEvidence } from './evidence.ts';
import { excuse, whyUnapproved, whyUnasked, type Excused } from './excuses.ts';

/** A promise that was not kept. */
export interface Finding {
  /** Which promise, in a word. */
  what:
    | 'lost'
    | 'doubled'
    | 'not-asked'
    | 'not-approved'
    | 'stray-effect'
    | 'model-paid-again'
    | 'model-stranger'
    | 'not-completed'
    | 'told-differently'
    | 'second-execution'
    | 'ledger-incomplete'
    | 'history-differs';
  /** The tool's effect class, or `model`; `null`: it is about the run. */
  class: EffectClass | 'model' | null;
  where: string;
  text: string;
}

/** How a class came off. */
export interface ClassTally {
  class: EffectClass | 'model';
  /** Effects asked for, or steps of the model. */
  wanted: number;
  /** Effects that there were; requests. */
  counted: number;
  /** Attempts in the ledger. */
  attempts: number;
  once: number;
  /** More than once. */
  doubled: number;
  /** Of these, so many the ledger says of; of the others of a class that may, none could report. */
  reported: number;
  lost: number;
}

export interface Verdict {
  clean: boolean;
  classes: ClassTally[];
  findings: Finding[];
}

/** Errors of attempts that were given up while the provider may have been answering. */
const POSSIBLY_PAID = new Set([
  'model.timeout',
  'step.timed_out',
  'step.cancelled',
  'step.interrupted',
]);

/** Compares the counts, and holds each class to its own promise. Pure. */
export function judge(evidence: Evidence): Verdict {
  const findings: Finding[] = [];
  const byRun = new Map<string, StepEvidence[]>();
  for (const step of evidence.steps) {
    byRun.set(step.workflowId, [...(byRun.get(step.workflowId) ?? []), step]);
  }
  const tallies = new Map<EffectClass | 'model', ClassTally>();
  const tally = (name: EffectClass | 'model'): ClassTally => {
    const made = tallies.get(name) ?? emptyTally(name);
    tallies.set(name, made);
    return made;
  };

  judgeRuns(evidence, byRun, findings);
  judgeEffects(evidence, byRun, tally, findings);
  judgeModel(evidence, tally('model'), findings);
  const order = [...EFFECTS, 'model'] as const;
  return {
    clean: findings.length === 0,
    classes: order.flatMap((name) => tallies.get(name) ?? []),
    findings,
  };
}

function judgeEffects(
  { classes, approved, runs, effects, zombies, executions }: Evidence,
  byRun: ReadonlyMap<string, StepEvidence[]>,
  tally: (name: EffectClass) => ClassTally,
  findings: Finding[],
): void {
  const unseen = new Map<string, CountedEffect[]>();
  const nameOf = ({ tool, label }: { tool: string; label: string }) => `${tool} ${label}`;
  for (const effect of effects) {
    unseen.set(nameOf(effect), [...(unseen.get(nameOf(effect)) ?? []), effect]);
  }

  const completed = new Set(
    executions.filter(({ status }) => status === 'COMPLETED').map(({ workflowId }) => workflowId),
  );
  for (const { key, workflowId, expected } of runs) {
    for (const effect of expected) {
      const kind = classes[effect.tool];
      if (kind === undefined) throw new RangeError(`No tool ${effect.tool} in the scenario`);
      const had = unseen.get(nameOf(effect)) ?? [];
      const counted = had.length;
      unseen.delete(nameOf(effect));
      const steps = (byRun.get(workflowId) ?? []).filter(({ name }) => name === effect.tool);
      const finding = { class: kind, where: `${key} ${effect.tool}` };
      const unapproved = approved.has(effect.tool)
        ? whyUnapproved(had, steps, effect.denied === true)
        : undefined;
      if (unapproved !== undefined) {
        findings.push({ ...finding, what: 'not-approved', text: unapproved });
      }
      if (effect.denied) continue;
      const sum = tally(kind);
      sum.wanted += 1;
      sum.counted += counted;
      sum.attempts += steps.reduce((total, step) => total + step.attempts, 0);
      const unasked = kind === 'at-most-once' ? whyUnasked(had, steps) : undefined;
      if (unasked !== undefined) findings.push({ ...finding, what: 'not-asked', text: unasked });
      if (counted === 0) {
        // What a run that has not ended misses is still to come.
        if (!completed.has(workflowId)) continue;
        sum.lost += 1;
        findings.push({ ...finding, what: 'lost', text: 'The run is over without its effect.' });
        continue;
      }
      if (counted === 1) {
        sum.once += 1;
        continue;
      }
      sum.doubled += 1;
      const excused = excuse(had, steps, zombies);
      if (counted <= 1 + excused.noted) sum.reported += 1;
      const text = mayNotDouble(kind, counted, excused);
      if (text !== undefined) findings.push({ ...finding, what: 'doubled', text });
    }
  }
  for (const [name, had] of unseen) {
    const text = `${had.length} effects that no run asked for.`;
    findings.push({ what: 'stray-effect', class: null, where: name, text });
  }
}

/** Why this is a finding; `undefined`: the class does not promise otherwise. */
function mayNotDouble(
  kind: EffectClass,
  counted: number,
  { noted, killed }: Excused,
): string | undefined {
  const times = `${counted} effects`;
  switch (kind) {
    case 'read':
      return undefined;
    case 'keyed':
    case 'transactional':
      return `${times}: this class never has more than one.`;
    default:
      if (counted <= 1 + noted + killed) return undefined;
      return `${times}; of only ${noted + killed} it is known that they came late (${noted} in the ledger, ${killed} of processes that were killed before they could tell).`;
  }
}

/** Holds the model's requests to what the ledger says of them. */
export function judgeModel(
  { modelRequests, steps }: Pick<Evidence, 'modelRequests' | 'steps'>,
  sum: ClassTally,
  findings: Finding[],
): void {
  const unseen = new Map(Object.entries(modelRequests));
  for (const step of steps.filter(({ kind }) => kind === 'model')) {
    const counted = unseen.get(step.token) ?? 0;
    unseen.delete(step.token);
    const possiblyPaid =
      step.unknownAttempts + step.errors.filter(({ code }) => POSSIBLY_PAID.has(code)).length;
    sum.wanted += 1;
    sum.counted += counted;
    sum.attempts += step.attempts;
    if (counted === 0) sum.lost += 1;
    if (counted === 1) sum.once += 1;
    if (counted > 1) sum.doubled += 1;
    if (counted > 1 && counted <= 1 + possiblyPaid) sum.reported += 1;
    if (counted > 1 + possiblyPaid) {
      const text = `The model was asked ${counted} times under one token, and the ledger says of ${possiblyPaid} attempts that were possibly paid for.`;
      findings.push({ what: 'model-paid-again', class: 'model', where: step.token, text });
    }
    if (counted === 0) {
      const text = 'The ledger has an answer that the model was never asked for.';
      findings.push({ what: 'lost', class: 'model', where: step.token, text });
    }
  }
  for (const [token, counted] of unseen) {
    const text = `The model was asked ${counted} times under a token that no step has.`;
    findings.push({ what: 'model-stranger', class: 'model', where: token, text });
  }
}

function judgeRuns(
  { runs, executions }: Evidence,
  byRun: ReadonlyMap<string, StepEvidence[]>,
  findings: Finding[],
): void {
  const strangers = new Set(executions.map(({ workflowId }) => workflowId));
  for (const run of runs) {
    const { key, workflowId } = run;
    strangers.delete(workflowId);
    const add = (what: Finding['what'], text: string): void =>
      void findings.push({ what, class: null, where: key, text });
    const of = executions.filter((execution) => execution.workflowId === workflowId);
    if (of.length > 1) add('second-execution', `Temporal has ${of.length} executions of one key.`);
    const [execution] = of;
    if (execution?.status !== 'COMPLETED') {
      const why = execution?.failure ?? 'no reason given';
      add('not-completed', `Temporal has the run as ${execution?.status ?? 'unknown'}: ${why}`);
      continue;
    }
    const steps = byRun.get(workflowId) ?? [];
    const open = steps.filter(({ state }) => state !== 'completed');
    if (steps.length === 0 || open.length > 0) {
      const which = open.map(({ token, state }) => `${token} ${state}`).join(', ');
      add('ledger-incomplete', `The run is completed; in the ledger: ${which || 'nothing'}.`);
    }
    judgeHistory(execution.completions, steps, add);
    judgeTold(run, execution.runId, execution.result, add);
  }
  for (const workflowId of strangers) {
    const text = 'Temporal has a run that nobody asked for.';
    findings.push({ what: 'second-execution', class: null, where: workflowId, text });
  }
}

/** Each step of the ledger is one completion in the history, and the other way round. */
function judgeHistory(
  completions: Readonly<Record<string, number>>,
  steps: readonly StepEvidence[],
  add: (what: Finding['what'], text: string) => void,
): void {
  const wanted: Record<string, number> = {};
  for (const { kind, name } of steps) {
    const type = kind === 'model' ? 'callModel' : `tool.${name}`;
    wanted[type] = (wanted[type] ?? 0) + 1;
  }
  for (const type of Object.keys(completions)) {
    if (type !== 'callModel' && !type.startsWith('tool.')) continue;
    wanted[type] ??= 0;
  }
  for (const [type, count] of Object.entries(wanted)) {
    const found = completions[type] ?? 0;
    if (found === count) continue;
    add('history-differs', `${type}: ${count} steps in the ledger, ${found} in the history.`);
  }
}

/** One key, one run, one result: for everybody who asked. */
function judgeTold(
  { told }: RunEvidence,
  runId: string,
  result: string | null,
  add: (what: Finding['what'], text: string) => void,
): void {
  if (told.length === 0) add('told-differently', 'Nobody was told how it ended.');
  const others = told.filter(
    (one) =>
      one.error !== null ||
      one.status !== 'completed' ||
      one.runId !== runId ||
      canonicalJson(one.result) !== result,
  );
  if (others.length > 0) {
    const first = others[0]?.error ?? others[0]?.status;
    add('told-differently', `${others.length} of ${told.length} were told otherwise (${first}).`);
  }
  const new_ = told.filter(({ replayed, error }) => error === null && !replayed).length;
  if (new_ > 1) add('told-differently', `${new_} of ${told.length} were told that theirs is new.`);
}

export function emptyTally(name: EffectClass | 'model'): ClassTally {
  return {
    class: name,
    wanted: 0,
    counted: 0,
    attempts: 0,
    once: 0,
    doubled: 0,
    reported: 0,
    lost: 0,
  };
}
