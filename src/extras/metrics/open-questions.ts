import { Gauge, type Registry } from 'prom-client';
import type { AgentOnceClient } from '../../client/agent-once-client.ts';
import { askedLately } from './asked-lately.ts';
import { boundedLabels } from './bounded-labels.ts';

/** Temporal's index is asked at most so often, however often somebody scrapes. */
const ASK_EVERY_MS = 60_000;
/** What was answered longer ago is told no more: other workers may know that it is over. */
const OLD_MS = 300_000;
/** Runs that wait for a person, of which the questions are counted. */
const RUNS = 5_000;
/** Tenants that are told by name. */
const TENANTS = 100;

interface Questions {
  tenant: string;
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
 */
export function tellQuestions(registry: Registry, client: () => Promise<AgentOnceClient>): void {
  const registers = [registry];
  const labelNames = ['tenant', 'agent', 'tool', 'kind'];
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

  const tenantLabel = boundedLabels(TENANTS);
  const forget = (): void => {
    for (const gauge of [open, oldest]) gauge.reset();
  };
  const ask = async (): Promise<void> => {
    const found = await readQuestions(await client(), tenantLabel);
    forget();
    for (const { count, oldest: since, ...labels } of found) {
      open.set(labels, count);
      oldest.set(labels, since);
    }
    // Where Temporal does not answer, it shows here.
    read.set(Date.now() / 1_000);
  };
  const lately = askedLately(ASK_EVERY_MS, OLD_MS, ask, forget);
}

async function readQuestions(
  client: AgentOnceClient,
  tenantLabel: (tenant: string) => string,
): Promise<Questions[]> {
  const found = new Map<string, Questions>();
  const add = (of: Omit<Questions, 'count' | 'oldest'>, askedAt: string, count = 1): void => {
    const id = Object.values(of).join(' ');
    const since = Date.parse(askedAt) / 1_000;
    const before = found.get(id) ?? { ...of, count: 0, oldest: since };
    const oldest = Math.min(before.oldest, since);
    found.set(id, { ...before, count: before.count + count, oldest });
  };
  for await (const { agent, ...run } of client.list({ status: 'waiting', limit: RUNS })) {
    const tenant = tenantLabel(run.tenant);
    for (const { tool, kind, askedAt } of run.waiting) add({ tenant, agent, tool, kind }, askedAt);
    // Of many questions, a run shows the first: of the others it is not known what they are about.
    const [first] = run.waiting;
    if (!run.waitingMore || !first) continue;
    add({ tenant, agent, tool: '', kind: '' }, first.askedAt, run.waitingMore);
  }
  return [...found.values()];
}
