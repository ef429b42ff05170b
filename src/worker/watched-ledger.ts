import { AsyncLocalStorage } from 'node:async_hooks';
import { refusalOf } from '../activities/step/restored.ts';
import { outsideSteps } from '../activities/step/step-code.ts';
import { AgentOnceError } from '../contract/errors.ts';
import type { Ledger } from '../ledger/port.ts';
import type { CallKind, LedgerTrouble } from './ledger-trouble.ts';

/** How often a worker that is in trouble looks whether it is over. */
const LOOK_EVERY_MS = 1_000;

/** What changes nothing in the ledger. */
const READS: readonly (string | symbol)[] = [
  'step',
  'steps',
  'earlier',
  'questions',
  'identity',
] satisfies (keyof Ledger)[];

/** A ledger, and what ends the looking. */
export interface WatchedLedger {
  ledger: Ledger;
  close(): void;
}

/**
 * The same ledger, whose answers and errors `trouble` hears of. A ledger that refuses this worker is
 * not asked for claims until a look, once a second, is answered: that is enough for its log, and no
 * account is locked. Where it refuses writes alone, claims show whether it still does. Cleaning is no reason for trouble: it may have fewer rights.
 *
 * All steps share its connections, so they are opened in the context of none.
 */
export function watchLedger(ledger: Ledger, trouble: LedgerTrouble): WatchedLedger {
  const ask = async <T>(kind: CallKind, call: () => Promise<T>): Promise<T> => {
    try {
      const answer = await outsideSteps(call);
      trouble.answered(kind);
      return answer;
    } catch (error) {
      trouble.met(error, kind);
      throw error;
    }
  };
  /** The ledger that lacked something, as it was then. */
  let lacking: { id: string; closed: boolean } | undefined;
  const own: Partial<Ledger> = {
    async claim(step) {
      if (trouble.now && !trouble.mayClaim) throw trouble.now.error;
      const answer = await ask('write', () => ledger.claim(step));
      if (answer.state === 'restored' && !answer.accepted) {
        lacking = { id: answer.ledger, closed: answer.lacks === 'claims' };
        const { code, message } = refusalOf(answer, step.seen?.ledger);
        trouble.met(new AgentOnceError(code, message), 'write');
      }
      return answer;
    },
    transact(claim, work, signal) {
      // The tool's own code is its step's.
      const inside = AsyncLocalStorage.bind(work);
      return ask('write', () => ledger.transact(claim, inside, signal));
    },
    close: () => ledger.close(),
  };
  let looks = false;
  const look = async (): Promise<void> => {
    if (trouble.now === undefined || looks) return;
    looks = true;
    if (trouble.now.what === 'restored') await lookForAnother();
    else await ask('read', () => ledger.step('none', 'none')).catch(() => {});
    looks = false;
  };
  /** Whether a person has accepted the restore or opened the ledger again, or it is another one. */
  const lookForAnother = async (): Promise<void> => {
    const found = await ask('read', () => ledger.identity()).catch(() => undefined);
    if (found === undefined) return;
    if (found.id !== lacking?.id || (found.closedAt !== null) !== lacking.closed) trouble.over();
  };
  const looking = setInterval(() => void look(), LOOK_EVERY_MS).unref();
  return {
    close: () => clearInterval(looking),
    ledger: new Proxy(ledger, {
      get(target, name) {
        const mine: unknown = Reflect.get(own, name);
        if (mine !== undefined) return mine;
        const theirs: unknown = Reflect.get(target, name);
        if (typeof theirs !== 'function') return theirs;
        const kind = READS.includes(name) ? 'read' : 'write';
        return (...args: unknown[]) =>
          ask(kind, () => theirs.apply(target, args) as Promise<unknown>);
      },
    }),
  };
}
