import type { Client } from '@temporalio/client';
import { AgentOnceClient } from '../../src/client/agent-once-client.ts';
import { createOurs, createPlain, type Contender } from '../contenders.ts';
import { LedgerCounter } from '../ledger-counts.ts';
import { createPair, measureThroughput, type Pair } from '../measure.ts';
import type { BenchOptions } from '../options.ts';
import { rowOf, type Row } from '../row.ts';
import type { BenchServers } from '../servers.ts';
import { waitingQuestionFor } from '../shape.ts';
import { measureHeld, measureMany, type Found } from './measure-waiting.ts';

/**
 * Runs that mostly wait for the model: how long many of them take at once, and what they cost while all
 * wait. Both workers have the same number of activity slots. Neither figure has the caller in it: the
 * runs are started without waiting for any, and one poller counts in Temporal's visibility how many
 * have closed; when the last one did, Temporal says.
 *
 * @param slots of each worker
 * @throws if a run does not end with the answer, or was not asked for all of it
 */
export async function waitingPart(
  servers: BenchServers,
  temporal: Client,
  { waiting, warmUp, repetitions }: Pick<BenchOptions, 'waiting' | 'warmUp' | 'repetitions'>,
  slots: number,
  tell: (line: string) => void,
): Promise<{ rows: Row[]; notes: string[] }> {
  const client = new AgentOnceClient({ temporal });
  const contenders = [
    createOurs(client, 'standard', waitingQuestionFor('standard')),
    createPlain(temporal, 'plain', waitingQuestionFor()),
  ];
  const counter = await LedgerCounter.open(servers.ledger);
  try {
    tell(`Waiting: warming up, with ${warmUp} runs of each …`);
    await servers.setModelDelay(0);
    for (const contender of contenders) await measureThroughput(contender, 20, warmUp);

    const parts = { servers, temporal, counter, ...waiting };
    const many = new FigurePairs();
    const held = new FigurePairs();
    for (let repetition = 1; repetition <= repetitions; repetition += 1) {
      for (const contender of repetition % 2 === 1 ? contenders : contenders.toReversed()) {
        const which = `${contender.name}, repetition ${repetition} of ${repetitions}`;
        tell(`Waiting: ${waiting.runs} runs at once, ${which} …`);
        many.add(contender, await measureMany(parts, contender));
        tell(`Waiting: ${waiting.heldRuns} runs that the model holds, ${which} …`);
        held.add(contender, await measureHeld(parts, contender));
      }
    }
    const pair = createPair();
    pair.ours.push(slots);
    pair.plain.push(slots);
    return {
      rows: [
        rowOf(waiting.modelMs, 'activity slots of the worker', 'slots', pair),
        ...many.rows(waiting.modelMs, `${waiting.runs} runs`),
        ...held.rows(null, `${waiting.heldRuns} runs wait`),
      ],
      notes: [
        `Activity slots: ${slots} in each worker; the plain one has the SDK's defaults in all else.`,
        ...(process.platform === 'linux'
          ? []
          : ['CPU by process is not known on this system: only Linux has /proc.']),
      ],
    };
  } finally {
    await counter.close();
  }
}

/** Figures of both, by name, one value a repetition. */
class FigurePairs {
  readonly #pairs = new Map<string, { what: string; unit: string; values: Pair }>();

  add({ name }: Contender, found: Found): void {
    for (const [what, unit, value] of found) {
      const key = `${what}, ${unit}`;
      const pair = this.#pairs.get(key) ?? { what, unit, values: createPair() };
      this.#pairs.set(key, pair);
      pair.values[name === 'plain' ? 'plain' : 'ours'].push(value);
    }
  }

  rows(modelMs: number | null, of: string): Row[] {
    return [...this.#pairs.values()].map(({ what, unit, values }) => {
      for (const each of [values.ours, values.plain]) if (each.length === 0) each.push(0);
      return rowOf(modelMs, `${of}: ${what}`, unit, values);
    });
  }
}
