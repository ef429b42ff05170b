import { isAnswerTo, type Decision, type QuestionKind } from '../../../src/contract/decision.ts';
import type { Effect } from '../../../src/contract/step.ts';
import type { StepState } from '../../../src/ledger/port.ts';
import { MAXIMUM_ATTEMPTS, type Command, type Scenario } from './commands.ts';

/** What is seen of a ledger: an answer, without times. */
export type Seen = Record<string, unknown>;

interface ModelStep {
  state: StepState;
  effect: Effect;
  digest: string;
  fence: number;
  nonce: number | null;
  leaseLive: boolean;
  run: number;
  worker: number | null;
  attempts: number;
  runAttempts: number;
  unknownAttempts: number;
  errors: string[];
  /** Whether the attempt itself said how it ended. */
  ended: boolean;
  result: number | null;
  knownBy: 'person' | null;
  settled: boolean;
}

interface ModelQuestion {
  kind: QuestionKind;
  round: number;
  digest: string;
  fence: number | null;
  usable: boolean;
  run: number;
  decision: Decision | null;
  result: number | null;
}

/** The claim protocol in memory, one command after another: what every backend must look like. */
export class Model {
  #step: ModelStep | undefined;
  /** As they were asked, or asked anew by a resumed run. */
  #questions: ModelQuestion[] = [];
  #retired = false;

  constructor({ effect, planned }: Scenario) {
    if (planned) this.#step = { ...freshStep(effect, 'a', 0), state: 'planned' };
  }

  copy(): Model {
    const copy = new Model({ effect: 'read', planned: false });
    copy.#step = this.#step && structuredClone(this.#step);
    copy.#questions = structuredClone(this.#questions);
    copy.#retired = this.#retired;
    return copy;
  }

  do(command: Command): Seen {
    switch (command.do) {
      case 'claim':
        return this.#claim(command);
      case 'renew':
        return { ok: this.#renew(command) };
      case 'complete':
        return { recorded: this.#complete(command) };
      case 'fail':
        return { ok: this.#fail(command) };
      case 'abandon':
        return { ok: this.#abandon(command) };
      case 'note':
        if (this.#step) addError(this.#step, `tool.failed e${command.error}`);
        return {};
      case 'ask':
        return this.#ask(command);
      case 'decide':
        return this.#decide(command);
      case 'retire':
        this.#retired = true;
        return {};
      case 'read':
        return this.record();
    }
  }

  /** As `Ledger.step` shows it. */
  record(): Seen {
    const step = this.#step;
    if (!step) return { state: 'absent' };
    const { state, effect, digest, fence, run, worker, attempts, unknownAttempts } = step;
    const { errors, result, knownBy } = step;
    return {
      state,
      effect,
      digest,
      fence,
      run,
      worker,
      attempts,
      unknownAttempts,
      errors: [...errors],
      result,
      knownBy,
    };
  }

  #claim({ nonce, run, effect, digest, lease }: Command & { do: 'claim' }): Seen {
    if (this.#retired) return { state: 'superseded' };
    const s = this.#step ?? freshStep(effect, digest, run);
    if (s.digest !== digest) return { state: 'diverged' };
    if (s.state === 'completed') {
      const { state, attempts, unknownAttempts, result, knownBy } = s;
      return { state, attempts, unknownAttempts, result, knownBy };
    }
    const same = s.state === 'claimed' && s.nonce === nonce;
    if (!same) {
      if (s.state === 'claimed' && s.leaseLive) return { state: 'busy', worker: s.worker };
      if (s.state === 'claimed' && [s.effect, effect].includes('at-most-once')) {
        s.state = 'unknown';
        s.unknownAttempts += 1;
      }
      if (s.state === 'unknown') {
        const error = s.ended ? (s.errors.at(-1) ?? null) : null;
        return { state: 'unknown', fence: s.fence, worker: s.worker, error };
      }
      const used = s.run === run ? s.runAttempts : 0;
      if (used >= MAXIMUM_ATTEMPTS) {
        return { state: 'exhausted', attempts: used, error: s.errors.at(-1) ?? null };
      }
      if (s.state === 'claimed') s.unknownAttempts += 1;
      s.fence += 1;
      s.attempts += 1;
      s.runAttempts = used + 1;
      s.ended = false;
    }
    Object.assign(s, { state: 'claimed', nonce, run, effect, worker: nonce });
    s.leaseLive = lease === 'live';
    this.#step = s;
    return {
      state: 'claimed',
      fence: s.fence,
      attempt: s.runAttempts,
      attempts: s.attempts,
      last: s.runAttempts >= MAXIMUM_ATTEMPTS,
      unknownAttempts: s.unknownAttempts,
    };
  }

  #held(fence: number, ...states: StepState[]): ModelStep | undefined {
    const s = this.#step;
    return s?.fence === fence && states.includes(s.state) ? s : undefined;
  }

  #renew({ fence, lease }: Command & { do: 'renew' }): boolean {
    const s = this.#held(fence, 'claimed', 'completed');
    // What a person completed is no attempt's own.
    if (s?.knownBy === 'person') return false;
    if (s?.state === 'claimed') s.leaseLive = lease === 'live';
    return s !== undefined;
  }

  #complete({ fence, result }: Command & { do: 'complete' }): string {
    const s = this.#held(fence, 'claimed', 'unknown', 'completed');
    if (!s || s.knownBy === 'person') return 'lost';
    if (s.state !== 'completed') {
      Object.assign(s, { settled: s.state === 'unknown', state: 'completed', result, ended: true });
    }
    return s.settled ? 'settled' : 'recorded';
  }

  #fail({ fence, error, counted }: Command & { do: 'fail' }): boolean {
    const s = this.#held(fence, 'claimed', 'unknown', 'failed');
    if (s && s.state !== 'failed') {
      addError(s, `tool.failed e${error}`);
      if (!counted) s.runAttempts = Math.max(0, s.runAttempts - 1);
      Object.assign(s, { state: 'failed', ended: true });
    }
    return s !== undefined;
  }

  #abandon({ fence, error }: Command & { do: 'abandon' }): boolean {
    const s = this.#held(fence, 'claimed', 'unknown');
    if (!s) return false;
    if (!s.ended) addError(s, `tool.failed e${error}`);
    if (s.state === 'claimed') s.unknownAttempts += 1;
    Object.assign(s, { state: 'unknown', ended: true });
    return true;
  }

  #ask({ kind, fence, run, digest, valid }: Command & { do: 'ask' }): Seen {
    const about = kind === 'outcome' ? fence : null;
    const rounds = this.#questions.filter((each) => each.kind === kind);
    let question = rounds.find(({ round }) => round === rounds.length);
    const stands =
      question !== undefined &&
      question.digest === digest &&
      question.fence === about &&
      (question.decision !== 'approve' || question.usable) &&
      (question.decision !== 'fail' || question.run === run);
    if (!question || !stands) {
      const usable = valid === 'live';
      const round = rounds.length + 1;
      question = { kind, round, digest, fence: about, usable, run, decision: null, result: null };
      this.#questions.push(question);
    } else if (question.decision === null && question.run !== run) {
      question.run = run;
      this.#questions = [...this.#questions.filter((each) => each !== question), question];
    }
    const { round, decision } = question;
    return { kind, round, decision, run: question.run };
  }

  #decide({ decision, result, round }: Command & { do: 'decide' }): Seen {
    const question = this.#questions.findLast(
      (each) => (round === null || each.round === round) && isAnswerTo(each.kind, decision),
    );
    if (!question) return { outcome: 'none', decision: null };
    if (question.decision !== null) {
      const same = question.decision === decision && question.result === result;
      return { outcome: same ? 'repeated' : 'conflict', decision: question.decision };
    }
    if (question.kind === 'outcome') {
      const s = this.#held(question.fence ?? 0, 'unknown');
      if (!s) return { outcome: 'settled', decision: null };
      if (decision === 'happened') {
        Object.assign(s, { state: 'completed', knownBy: 'person', result, ended: true });
      }
      if (decision === 'did-not-happen') {
        addError(s, 'step.did_not_happen');
        Object.assign(s, { state: 'failed', runAttempts: 0, ended: true });
      }
    }
    Object.assign(question, { decision, result });
    return { outcome: 'recorded', decision };
  }
}

function freshStep(effect: Effect, digest: string, run: number): ModelStep {
  return {
    state: 'failed',
    effect,
    digest,
    fence: 0,
    nonce: null,
    leaseLive: false,
    run,
    worker: null,
    attempts: 0,
    runAttempts: 0,
    unknownAttempts: 0,
    errors: [],
    ended: false,
    result: null,
    knownBy: null,
    settled: false,
  };
}

function addError(step: ModelStep, error: string): void {
  step.errors = [...step.errors, error].slice(-10);
}
