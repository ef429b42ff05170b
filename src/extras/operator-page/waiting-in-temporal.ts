import type { AgentOnceClient } from '../../client/agent-once-client.ts';
import { noSuchPage } from './question-lists.ts';
import type { WaitingPage, WaitingQuestion } from './waiting-page.ts';

/** Runs that are read at most: 25 requests to Temporal, which sorts them by their start. */
const MOST_RUNS = 5_000;
const PAGE = 200;

/**
 * What waits, by Temporal's list alone: for ledgers without a list of questions.
 *
 * @param from how many questions lie on the pages before
 * @throws {AgentOnceError} `temporal.…`
 */
export async function readFromTemporal(
  client: Pick<AgentOnceClient, 'page'>,
  tenant: string,
  limit: number,
  from = '0',
): Promise<WaitingPage> {
  if (!/^\d{1,7}$/.test(from)) throw noSuchPage();
  const found: WaitingQuestion[] = [];
  let [runs, unseen, cursor]: [number, number, string | undefined] = [0, 0, undefined];
  do {
    const page = await client.page({ tenant, status: 'waiting' }, { limit: PAGE, cursor });
    for (const { workflowId, agent, key, shadow, waiting, waitingMore = 0 } of page.runs) {
      const run = { workflowId, agent, key, shadow };
      for (const question of waiting) found.push({ run, question });
      unseen += waitingMore;
    }
    runs += PAGE;
    cursor = page.next ?? undefined;
  } while (cursor !== undefined && runs < MOST_RUNS);
  found.sort((a, b) => a.question.askedAt.localeCompare(b.question.askedAt));
  const end = Number(from) + limit;
  return {
    questions: found.slice(Number(from), end),
    next: found.length > end ? String(end) : undefined,
    count: found.length,
    isExact: cursor === undefined,
    unseen,
  };
}
