import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentOnceClient } from '../src/client/agent-once-client.ts';
import type { RunRef } from '../src/client/types.ts';
import type { DecisionInput, OpenQuestion } from '../src/contract/decision.ts';
import { AgentOnceError } from '../src/contract/errors.ts';
import { receipt, type ShopEffect } from './shop.ts';

/** Answers what runs ask. */
export interface Person {
  /** Answers given, by what they said. */
  answers: Map<string, number>;
  stop(): Promise<void>;
}

const LOOKS_EVERY_MS = 400;

/** What a person knows of a call, by the key of its run and its tool. */
export interface Knowledge {
  /** The effect that the shop has of it at this moment. */
  lookUp(key: string, tool: string): ShopEffect | undefined;
  /** Whether this person does not want the call to be made. */
  denies(key: string, tool: string): boolean;
}

/**
 * Somebody who looks again and again which runs wait, approves or denies calls, looks up in the shop
 * how others ended, and answers twice what is true at that moment. A tool may act later all the same:
 * a person does not know what a stopped process will do.
 */
export function hirePerson(client: AgentOnceClient, { lookUp, denies }: Knowledge): Person {
  const answers = new Map<string, number>();
  const stopping = new AbortController();
  const busyWith = new Set<string>();

  const answer = async (run: RunRef): Promise<void> => {
    const { waiting } = await client.describe(run);
    for (const question of waiting) {
      const { tool } = question;
      const truth =
        question.kind === 'approval'
          ? verdictOn(question, denies(run.key, tool))
          : truthOf(question, lookUp(run.key, tool));
      const outcomes = await Promise.allSettled([
        client.decide(run, truth),
        client.decide(run, truth),
      ]);
      if (!outcomes.some(({ status }) => status === 'fulfilled')) continue;
      answers.set(truth.decision, (answers.get(truth.decision) ?? 0) + 1);
    }
  };
  const look = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        for await (const run of client.list({ status: 'waiting' })) {
          if (busyWith.has(run.key)) continue;
          busyWith.add(run.key);
          void answer(run)
            .catch(ignoreAbsence)
            .finally(() => busyWith.delete(run.key));
        }
      } catch (error) {
        ignoreAbsence(error);
      }
      await sleep(LOOKS_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };
  const looking = look();
  return {
    answers,
    async stop() {
      stopping.abort();
      await looking;
    },
  };
}

const by = 'the person of the crash kit';

function verdictOn({ step, round }: OpenQuestion, denied: boolean): DecisionInput {
  return { step, round, decision: denied ? 'deny' : 'approve', by };
}

function truthOf({ step, round }: OpenQuestion, effect: ShopEffect | undefined): DecisionInput {
  if (effect === undefined) {
    const comment = 'the shop has no record of it';
    return { step, round, decision: 'did-not-happen', by, comment };
  }
  const comment = 'seen in the shop';
  return { step, round, decision: 'happened', result: receipt(effect), by, comment };
}

/** The server is away, or the run has gone on: the next look finds out. */
function ignoreAbsence(error: unknown): void {
  if (!(error instanceof AgentOnceError)) throw error;
}
