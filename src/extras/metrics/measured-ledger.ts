import { parseWorkflowId } from '../../contract/key.ts';
import type {
  Claim,
  ClaimAnswer,
  Completion,
  Ledger,
  StepClaim,
  StepError,
} from '../../ledger/port.ts';
import { mayBePaidFor } from '../explain/possibly-paid.ts';
import type { Instruments } from './instruments.ts';

/** Claims that are remembered, far more than a worker has at once: the end of some is never told. */
const REMEMBERED = 10_000;

/** What an attempt is counted under, from its claim to its end. */
interface Attempt {
  labels: { agent: string; kind: string; tool: string; effect: string };
  model: string;
  unknownAttempts: number;
}

/** The same ledger, whose calls are timed, and whose claims and ends of steps are counted. */
export function measureLedger(ledger: Ledger, instruments: Instruments): Ledger {
  const { ledgerSeconds, steps, stepErrors, possiblyPaid } = instruments;
  const attempts = new Map<string, Attempt>();
  const unknown = new Set<string>();

  /** @param isTools whether an error is a tool's, and not the ledger's */
  const timed = async <T>(
    call: string,
    ask: () => Promise<T>,
    isTools: () => boolean = () => false,
  ): Promise<T> => {
    const end = ledgerSeconds.startTimer({ call });
    try {
      const answer = await ask();
      end({ outcome: 'answered' });
      return answer;
    } catch (error) {
      end({ outcome: isTools() ? 'answered' : 'error' });
      throw error;
    }
  };
  /** Ends an attempt that this process has claimed: once, however often it is told. */
  const ended = (claim: Claim, end: string): Attempt | undefined => {
    const attempt = attempts.get(idOf(claim));
    if (!attempt) return undefined;
    attempts.delete(idOf(claim));
    steps.add({ ...attempt.labels, end });
    return attempt;
  };
  const completed = (claim: Claim, completion: Completion, ours: boolean): void => {
    const attempt = ended(claim, ours ? endOf(completion) : 'lost');
    if (attempt?.labels.kind !== 'model' || attempt.unknownAttempts === 0) return;
    const { labels, model, unknownAttempts } = attempt;
    possiblyPaid.add({ agent: labels.agent, model }, unknownAttempts);
  };
  const failed = (claim: Claim, error: StepError, ours: boolean): void => {
    const { code } = error;
    const halted = isHalt(code);
    const attempt = ended(claim, !ours ? 'lost' : halted ? 'cancelled' : 'failed');
    if (!attempt || !ours) return;
    const { agent, kind, tool } = attempt.labels;
    if (!halted) stepErrors.add({ agent, kind, tool, code });
    if (kind === 'model' && mayBePaidFor(error)) possiblyPaid.add({ agent, model: attempt.model });
  };
  const claimed = (step: StepClaim, answer: ClaimAnswer): void => {
    const { kind, name, effect } = step;
    const again = answer.state === 'claimed' && answer.attempts > 1;
    instruments.claims.add({ kind, answer: again ? 'claimed_again' : answer.state });
    const agent = agentOf(step.workflowId);
    const tool = kind === 'tool' ? name : '';
    const labels = { agent, kind, tool, effect: effect ?? '' };
    if (answer.state === 'claimed') {
      const model = kind === 'model' ? instruments.modelLabel(name) : '';
      const { claim, unknownAttempts } = answer;
      attempts.set(idOf(claim), { labels, model, unknownAttempts });
      for (const oldest of attempts.keys()) {
        if (attempts.size <= REMEMBERED) break;
        attempts.delete(oldest);
      }
      return;
    }
    if (answer.state === 'completed') steps.add({ ...labels, end: 'ledger' });
    if (answer.state !== 'unknown') return;
    const id = idOf({ ...step, fence: answer.attempt.fence });
    if (unknown.has(id)) return;
    if (unknown.size >= REMEMBERED) unknown.clear();
    unknown.add(id);
    steps.add({ ...labels, end: 'unknown' });
  };

  const own: Partial<Ledger> = {
    async claim(step) {
      const answer = await timed('claim', () => ledger.claim(step));
      quietly(() => claimed(step, answer));
      return answer;
    },
    async complete(claim, completion) {
      const recorded = await timed('complete', () => ledger.complete(claim, completion));
      quietly(() => completed(claim, completion, recorded !== 'lost'));
      return recorded;
    },
    async transact(claim, work, signal) {
      let made: Completion | undefined;
      let threw = false;
      const inside: typeof work = async (tx) => {
        try {
          return (made = await work(tx));
        } catch (error) {
          threw = true;
          throw error;
        }
      };
      const transact = () => ledger.transact(claim, inside, signal);
      const ours = await timed('transact', transact, () => threw);
      quietly(() => made && completed(claim, made, ours));
      return ours;
    },
    async fail(claim, error, how) {
      const ours = await timed('fail', () => ledger.fail(claim, error, how));
      quietly(() => failed(claim, error, ours));
      return ours;
    },
    async endUnknown(claim, error) {
      const ours = await timed('endUnknown', () => ledger.endUnknown(claim, error));
      // The next claim is told so, and counted.
      attempts.delete(idOf(claim));
      return ours;
    },
    close: () => ledger.close(),
  };
  return new Proxy(ledger, {
    get(target, name) {
      const mine: unknown = Reflect.get(own, name);
      if (mine !== undefined) return mine;
      const theirs: unknown = Reflect.get(target, name);
      if (typeof theirs !== 'function') return theirs;
      return (...args: unknown[]) =>
        timed(String(name), () => theirs.apply(target, args) as Promise<unknown>);
    },
  });
}

/** Counts: what cannot be counted must not lose what has happened. */
export function quietly(count: () => void): void {
  try {
    count();
  } catch {
    // A number that the library refuses, such as a price that is none.
  }
}

/** The agent whose run it is; empty in a workflow of the app's own. */
export function agentOf(workflowId: string): string {
  return parseWorkflowId(workflowId)?.agent ?? '';
}

function idOf({ scope, step, fence }: Pick<Claim, 'scope' | 'step' | 'fence'>): string {
  return `${scope}:${step}:${fence}`;
}

function endOf({ knownBy, sharedWith }: Completion): string {
  if (knownBy === 'find') return 'found';
  if (knownBy === 'shadow') return 'shadow';
  return sharedWith === undefined ? 'executed' : 'shared';
}

/** The run was cancelled, or the worker was told to stop: no fault of the step. */
function isHalt(code: string): boolean {
  return code === 'step.cancelled' || code === 'step.interrupted';
}
