import { setTimeout as sleep } from 'node:timers/promises';
import { Gauge, type Registry } from 'prom-client';
import type { AgentOnceClient } from '../../client/agent-once-client.ts';

/** Temporal's index is asked at most so often, however often somebody scrapes. */
const ASK_EVERY_MS = 60_000;
/** What was answered longer ago is told no more: other workers may know that it is over. */
const OLD_MS = 300_000;
/** A scrape waits so long for a new answer; then it is told the last one. */
const WAIT_MS = 3_000;
/** Runs that wait for a person, of which the questions are counted. */
const RUNS = 5_000;

interface Questions {
  agent: string;
  tool: string;
  kind: string;
  count: number;
  /** When the oldest was asked, in seconds since 1970. */
  oldest: number;
}

/**
 * Tells what waits for people, and since when, as Temporal has it: of runs that were ended from
 * outside, the ledger keeps questions that nobody has to answer any more.
 *
 * @param connect called with the first scrape
 * @returns ends the connection
 */
export function tellQuestions(
  registry: Registry,
  connect: () => Promise<AgentOnceClient>,
): () => Promise<void> {
  const registers = [registry];
  const labelNames = ['agent', 'tool', 'kind'];
  const open = new Gauge({
    registers,
    name: 'agent_once_open_questions',
    help: 'Questions that wait for a person',
    labelNames,
    collect: () => lately(),
  });
  const oldest = new Gauge({
    registers,
    name: 'agent_once_oldest_question_timestamp_seconds',
    help: 'When the oldest of these questions was asked, in seconds since 1970',
    labelNames,
    collect: () => lately(),
  });
  const read = new Gauge({
    registers,
    name: 'agent_once_questions_read_timestamp_seconds',
    help: 'When Temporal last said which questions are open, in seconds since 1970; 0: not yet',
    collect: () => lately(),
  });

  let client: Promise<AgentOnceClient> | undefined;
  let asked = Number.NEGATIVE_INFINITY;
  let answered = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;
  const ask = async (): Promise<void> => {
    client ??= connect().catch((error: unknown) => {
      client = undefined;
      throw error;
    });
    const found = await readQuestions(await client);
    open.reset();
    oldest.reset();
    for (const { agent, tool, kind, count, oldest: since } of found) {
      open.set({ agent, tool, kind }, count);
      oldest.set({ agent, tool, kind }, since);
    }
    answered = Date.now();
    read.set(answered / 1_000);
  };
  const lately = async (): Promise<void> => {
    if (!asking && Date.now() - asked >= ASK_EVERY_MS) {
      asked = Date.now();
      // Where Temporal does not answer, the time of the last answer shows it.
      asking = ask()
        .catch(() => {})
        .finally(() => (asking = undefined));
    }
    if (asking) await Promise.race([asking, sleep(WAIT_MS, undefined, { ref: false })]);
    if (Date.now() - answered > OLD_MS) for (const gauge of [open, oldest]) gauge.reset();
  };
  return async () => {
    await (await client?.catch(() => undefined))?.close();
  };
}

async function readQuestions(client: AgentOnceClient): Promise<Questions[]> {
  const found = new Map<string, Questions>();
  const add = (agent: string, tool: string, kind: string, askedAt: string, count = 1): void => {
    const id = `${agent} ${tool} ${kind}`;
    const since = Date.parse(askedAt) / 1_000;
    const before = found.get(id) ?? { agent, tool, kind, count: 0, oldest: since };
    const oldest = Math.min(before.oldest, since);
    found.set(id, { ...before, count: before.count + count, oldest });
  };
  for await (const run of client.list({ status: 'waiting', limit: RUNS })) {
    for (const { tool, kind, askedAt } of run.waiting) add(run.agent, tool, kind, askedAt);
    // Of many questions, a run shows the first: of the others it is not known what they are about.
    const [first] = run.waiting;
    if (run.waitingMore && first) add(run.agent, '', '', first.askedAt, run.waitingMore);
  }
  return [...found.values()];
}
