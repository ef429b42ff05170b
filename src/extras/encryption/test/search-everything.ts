import { textOf, type Named } from '../../../../test/support/search-text.ts';
import type { TestSystem } from '../../../../test/support/system.ts';

/** All that Temporal holds of a workflow, and all that the ledger holds, as text that is searched. */
export async function readEverything(
  { temporal, sql }: Pick<TestSystem, 'temporal' | 'sql'>,
  workflowId: string,
): Promise<Named> {
  const { namespace } = temporal.options;
  const execution = { workflowId };
  const query = `WorkflowId = '${workflowId}'`;
  const { workflowService } = temporal;
  const [history, description, listed] = await Promise.all([
    workflowService.getWorkflowExecutionHistory({ namespace, execution, maximumPageSize: 1_000 }),
    workflowService.describeWorkflowExecution({ namespace, execution }),
    workflowService.listWorkflowExecutions({ namespace, query }),
  ]);
  return {
    history: textOf(history),
    description: textOf(description),
    list: textOf(listed),
    ledger: await readLedger(sql),
  };
}

async function readLedger(sql: TestSystem['sql']): Promise<string> {
  const { rows: tables } = await sql.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'agent_once'`,
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    const { rows } = await sql.query(`SELECT * FROM agent_once."${name}"`);
    texts.push(name, textOf(rows));
  }
  return texts.join('\n');
}
