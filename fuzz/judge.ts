import type { Finding } from '../chaos/verdict.ts';
import { emptyTally, judgeModel } from '../chaos/verdict.ts';
import type { CountedEffect, StepEvidence } from '../chaos/evidence.ts';
import type { Effect as EffectClass } from '../src/contract/step.ts';
import { AGENT_RUN } from '../src/contract/names.ts';
import type { Answer } from './answer.ts';
import { isExpected } from './expected.ts';

/** Something that must never be. */
export interface Breach {
  what:
    | 'server-error'
    | 'unexpected-answer'
    | 'broken-process'
    | 'two-made-one-run'
    | 'unknown-run'
    | 'two-live-runs'
    | 'doubled'
    | 'lost'
    | 'stray-effect'
    | 'model-paid-again'
    | 'model-stranger'
    | 'stuck';
  /** Keys, steps, processes that it is about. */
  where: string;
  text: string;
}

/** An execution under one of the keys, tombstones included. Times in milliseconds since 1970. */
export interface FuzzedExecution {
  workflowId: string;
  runId: string;
  type: string;
  startedAt: number;
  /** `null`: it has not ended. */
  closedAt: number | null;
}

/** How a key stood when everybody had stopped and a person had answered everything. */
export interface OpenRun {
  key: string;
  runId: string;
  status: string;
  /** What it asks people. */
  waiting: readonly string[];
}

export interface FuzzEvidence {
  answers: readonly Answer[];
  /** Processes of the fuzz that ended by themselves. */
  broken: readonly string[];
  /** Of each tool. */
  classes: Readonly<Record<string, EffectClass>>;
  /** Key of each workflow ID. */
  keys: ReadonlyMap<string, string>;
  executions: readonly FuzzedExecution[];
  /** Of the shop, and of transactional tools. */
  effects: readonly CountedEffect[];
  steps: readonly StepEvidence[];
  /** That the model got, by token. */
  modelRequests: Record<string, number>;
  /** Runs that did not come to an end within the net. */
  open: readonly OpenRun[];
}

/** Looks for what must never be. Pure. */
export function judgeFuzz(evidence: FuzzEvidence): Breach[] {
  return [
    ...judgeAnswers(evidence),
    ...judgeExecutions(evidence),
    ...judgeEffects(evidence),
    ...judgeGenerations(evidence),
    ...judgeModelRequests(evidence),
    ...evidence.broken.map((where): Breach => {
      return { what: 'broken-process', where, text: 'It ended by itself.' };
    }),
    ...evidence.open.map(({ key, runId, status, waiting }): Breach => {
      const asks = waiting.length === 0 ? 'asks nobody' : `asks ${waiting.join(', ')}`;
      return { what: 'stuck', where: key, text: `${runId} is ${status}, and ${asks}.` };
    }),
  ];
}

function judgeAnswers({ answers, executions }: FuzzEvidence): Breach[] {
  const breaches: Breach[] = [];
  const made = new Map<string, Answer[]>();
  const known = new Set(executions.map(({ runId }) => runId));
  for (const answer of answers) {
    const { surface, operation, key, code, status, runId, text = '' } = answer;
    const where = `${key} (${operation}, ${surface}, process ${answer.process})`;
    if (status !== undefined && status >= 500) {
      breaches.push({ what: 'server-error', where, text: `${status} ${code}: ${text}` });
    } else if (!isExpected(answer)) {
      breaches.push({ what: 'unexpected-answer', where, text: `${code}: ${text}` });
    }
    if (runId === undefined) continue;
    if (!known.has(runId)) {
      breaches.push({ what: 'unknown-run', where, text: `Temporal knows no execution ${runId}.` });
    }
    if (answer.made) made.set(runId, [...(made.get(runId) ?? []), answer]);
  }
  for (const [runId, makers] of made) {
    const [first] = makers;
    if (makers.length < 2 || !first) continue;
    const who = makers.map((maker) => `${maker.surface} ${maker.process}`).join(', ');
    const text = `${makers.length} were told that they made ${runId}: ${who}.`;
    breaches.push({ what: 'two-made-one-run', where: first.key, text });
  }
  return breaches;
}

/** Of the executions of one key, each ended before the next began. */
function judgeExecutions({ executions, keys }: FuzzEvidence): Breach[] {
  return [...keys].flatMap(([workflowId, key]) => {
    const own = executions
      .filter((execution) => execution.workflowId === workflowId && execution.type === AGENT_RUN)
      .toSorted((a, b) => a.startedAt - b.startedAt);
    return own.flatMap((execution, index): Breach[] => {
      const next = own[index + 1];
      if (!next || (execution.closedAt ?? Infinity) <= next.startedAt) return [];
      const text = `${next.runId} began before ${execution.runId} had ended.`;
      return [{ what: 'two-live-runs', where: key, text }];
    });
  });
}

function judgeEffects({ effects, steps, classes, keys }: FuzzEvidence): Breach[] {
  const breaches: Breach[] = [];
  const byToken = new Map<string, CountedEffect[]>();
  for (const effect of effects) {
    const { token = '' } = effect;
    byToken.set(token, [...(byToken.get(token) ?? []), effect]);
  }
  for (const step of steps) {
    const had = byToken.get(step.token) ?? [];
    byToken.delete(step.token);
    const kind = classes[step.name];
    if (step.kind !== 'tool' || kind === undefined || kind === 'read') continue;
    const key = keys.get(step.workflowId) ?? step.workflowId;
    const where = `${key} ${step.name} (${kind}) ${step.token}`;
    if (had.length > 1) {
      const who = had.map(({ pid, at }) => `process ${pid} at ${at}`).join(', ');
      breaches.push({ what: 'doubled', where, text: `${had.length} effects: ${who}.` });
    }
    // What a person decided was not done, or done in an attempt that is counted above.
    const isDone = step.state === 'completed' && step.knownBy !== 'person';
    if (isDone && had.length === 0) {
      breaches.push({ what: 'lost', where, text: 'The step is completed, without an effect.' });
    }
  }
  for (const [token, had] of byToken) {
    const tools = [...new Set(had.map(({ tool }) => tool))].join(', ');
    const text = `${had.length} effects under a token that no step has.`;
    breaches.push({ what: 'stray-effect', where: `${tools} ${token}`, text });
  }
  return breaches;
}

/** The steps that belong together: a run and whatever resumes it. Times in milliseconds since 1970. */
interface Generation {
  workflowId: string;
  scope: string;
  beganAt: number;
  effectsAt: number[];
}

/** A run that was forgotten has no effect any more once its successor has had one. */
function judgeGenerations({ effects, steps, keys }: FuzzEvidence): Breach[] {
  const generations = new Map<string, Generation>();
  for (const { token, workflowId, createdAt } of steps) {
    const scope = scopeOf(token);
    const known = generations.get(scope);
    const beganAt = Math.min(createdAt, known?.beganAt ?? Infinity);
    generations.set(scope, { workflowId, scope, beganAt, effectsAt: known?.effectsAt ?? [] });
  }
  for (const { token = '', at } of effects) {
    if (at !== null) generations.get(scopeOf(token))?.effectsAt.push(at);
  }
  const all = [...generations.values()];
  return all.flatMap(({ workflowId, scope, beganAt, effectsAt }): Breach[] => {
    const later = all.filter((other) => other.workflowId === workflowId && other.beganAt > beganAt);
    const first = Math.min(...later.flatMap((other) => other.effectsAt));
    const late = effectsAt.filter((at) => at > first).length;
    if (late === 0) return [];
    const text = `${late} effects of ${scope} after the first one of a run that came later.`;
    return [{ what: 'two-live-runs', where: keys.get(workflowId) ?? workflowId, text }];
  });
}

function scopeOf(token: string): string {
  return token.slice(0, token.lastIndexOf(':'));
}

function judgeModelRequests({ modelRequests, steps }: FuzzEvidence): Breach[] {
  const findings: Finding[] = [];
  judgeModel({ modelRequests, steps: [...steps] }, emptyTally('model'), findings);
  return findings.flatMap(({ what, where, text }): Breach[] =>
    // A step whose first request was cancelled before it was sent is in the ledger too.
    what === 'model-paid-again' || what === 'model-stranger' ? [{ what, where, text }] : [],
  );
}
