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

/**
 * Somebody who looks again and again which runs wait, looks each question up in the shop, and
 * answers twice what is true at that moment. A tool may act later all the same: a person does not
 * know what a stopped process will do.
 *
 * @param lookUp the effect of a tool in the run with this key
 */
export function hirePerson(
  client: AgentOnceClient,
  lookUp: (key: string, tool: string) => ShopEffect | undefined,
): Person {
  const answers = new Map<string, number>();
  const stopping = new AbortController();
  const busyWith = new Set<string>();

  const answer = async (run: RunRef): Promise<void> => {
    const { waiting } = await client.describe(run);
    for (const question of waiting) {
      const truth = truthOf(question, lookUp(run.key, question.tool));
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

function truthOf(question: OpenQuestion, effect: ShopEffect | undefined): DecisionInput {
  const { step, round, kind } = question;
  const by = 'the person of the crash kit';
  if (kind === 'approval') return { step, round, decision: 'approve', by };
  return effect === undefined
    ? { step, round, decision: 'did-not-happen', by, comment: 'the shop has no record of it' }
    : {
        step,
        round,
        decision: 'happened',
        result: receipt(effect),
        by,
        comment: 'seen in the shop',
      };
}

/** The server is away, or the run has gone on: the next look finds out. */
function ignoreAbsence(error: unknown): void {
  if (!(error instanceof AgentOnceError)) throw error;
}
