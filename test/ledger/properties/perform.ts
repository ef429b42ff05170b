import { randomUUID } from 'node:crypto';
import type {
  ClaimAnswer,
  Ledger,
  StepClaim,
  StepError,
  StepRecord,
} from '../../../src/ledger/port.ts';
import { claimed, plannedStep, stepClaim } from '../steps.ts';
import { MAXIMUM_ATTEMPTS, type Command, type Scenario } from './commands.ts';
import type { Seen } from './model.ts';

const LONG_MS = 600_000;
const DIGESTS = { a: 'a'.repeat(64), b: 'b'.repeat(64) };

/** The step of one scenario on a real ledger. */
export class RealStep {
  readonly #base: StepClaim;
  readonly #nonces = Array.from({ length: 8 }, () => randomUUID());

  private constructor(base: StepClaim) {
    this.#base = base;
  }

  static async prepare(ledger: Ledger, { effect, planned }: Scenario): Promise<RealStep> {
    const base = stepClaim({ effect, runId: 'run-0', maximumAttempts: MAXIMUM_ATTEMPTS });
    if (planned) {
      const { scope } = base;
      const model = stepClaim({
        scope,
        step: 't1.model',
        kind: 'model',
        effect: null,
        runId: 'run-0',
      });
      const calls = [plannedStep(0, { effect, digest: DIGESTS.a })];
      await ledger.complete(await claimed(ledger, model), { result: 'calls', planned: calls });
    }
    return new RealStep(base);
  }

  /** Does it, and says what was seen, as the model does. */
  async do(ledger: Ledger, command: Command): Promise<Seen> {
    const { scope, step } = this.#base;
    switch (command.do) {
      case 'claim': {
        const { nonce, run, effect, digest, lease } = command;
        const answer = await ledger.claim({
          ...this.#base,
          effect,
          digest: DIGESTS[digest],
          nonce: this.#nonces[nonce] ?? '',
          runId: `run-${run}`,
          worker: `worker-${nonce}`,
          leaseMs: msOf(lease),
        });
        return seenOfClaim(answer);
      }
      case 'renew':
        return { ok: await ledger.renew(this.#claim(command.fence, msOf(command.lease))) };
      case 'complete': {
        const { fence, result } = command;
        return { recorded: await ledger.complete(this.#claim(fence), { result }) };
      }
      case 'fail': {
        const { fence, error, counted } = command;
        return { ok: await ledger.fail(this.#claim(fence), errorOf(error), { counted }) };
      }
      case 'abandon':
        return { ok: await ledger.endUnknown(this.#claim(command.fence), errorOf(command.error)) };
      case 'note':
        await ledger.note(scope, step, errorOf(command.error));
        return {};
      case 'ask': {
        const { kind, fence, run, digest, valid } = command;
        const asked = await ledger.ask({
          scope,
          step,
          kind,
          digest: DIGESTS[digest],
          fence: kind === 'outcome' ? String(fence) : null,
          validMs: msOf(valid),
          workflowId: this.#base.workflowId,
          runId: `run-${run}`,
        });
        return { kind, round: asked.round, decision: asked.decision, run: numberOf(asked.runId) };
      }
      case 'decide': {
        const { decision, result, round } = command;
        const made = await ledger.decide(scope, {
          step,
          decision,
          by: 'ann',
          ...(result === null ? {} : { result }),
          ...(round === null ? {} : { round }),
        });
        return { outcome: made.outcome, decision: made.decision };
      }
      case 'retire':
        await ledger.retire(scope);
        return {};
      case 'read':
        return this.record(ledger);
    }
  }

  async record(ledger: Ledger): Promise<Seen> {
    const record = await ledger.step(this.#base.scope, this.#base.step);
    return record ? seenOfRecord(record) : { state: 'absent' };
  }

  #claim(fence: number, leaseMs = LONG_MS) {
    const { scope, step } = this.#base;
    return { scope, step, fence: String(fence), leaseMs };
  }
}

function seenOfClaim(answer: ClaimAnswer): Seen {
  switch (answer.state) {
    case 'claimed': {
      const { state, claim, attempt, attempts, last, unknownAttempts } = answer;
      return { state, fence: Number(claim.fence), attempt, attempts, last, unknownAttempts };
    }
    case 'completed': {
      const { attempts, unknownAttempts, result, knownBy } = answer.record;
      return { state: answer.state, attempts, unknownAttempts, result, knownBy };
    }
    case 'busy':
      return { state: answer.state, worker: numberOf(answer.worker) };
    case 'unknown': {
      const { fence, worker, error } = answer.attempt;
      return {
        state: answer.state,
        fence: Number(fence),
        worker: numberOf(worker),
        error: error && seenOfError(error),
      };
    }
    case 'exhausted': {
      const { state, attempts, error } = answer;
      return { state, attempts, error: error && seenOfError(error) };
    }
    case 'superseded':
    case 'diverged':
    case 'restored':
      return { state: answer.state };
  }
}

function seenOfRecord(record: StepRecord): Seen {
  const { state, effect, attempts, unknownAttempts, result, knownBy } = record;
  return {
    state,
    effect,
    attempts,
    unknownAttempts,
    result,
    knownBy,
    digest: record.digest.slice(0, 1),
    fence: Number(record.fence),
    run: numberOf(record.runId),
    worker: record.worker === null ? null : numberOf(record.worker),
    errors: record.errors.map(seenOfError),
  };
}

function seenOfError({ code, message }: StepError): string {
  return code === 'step.did_not_happen' ? code : `${code} ${message}`;
}

function errorOf(error: number): StepError {
  return { code: 'tool.failed', message: `e${error}` };
}

function msOf(lease: 'live' | 'over'): number {
  return lease === 'live' ? LONG_MS : 0;
}

function numberOf(name: string): number {
  return Number(name.split('-')[1]);
}
