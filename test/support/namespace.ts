import { randomUUID } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../src/contract/names.ts';
import { eventually } from './eventually.ts';
import { temporalAddress } from './servers.ts';

/** Numbers of Temporal's `IndexedValueType`. */
const TYPE_NUMBERS = { Keyword: 2, Double: 4 } as const;

/**
 * Makes a namespace for one suite, so that its workers get no other suite's tasks: all of them
 * poll the task queue `agent-once`.
 */
export async function createTestNamespace(
  options: { searchAttributes?: boolean; name?: string } = {},
): Promise<string> {
  const namespace = options.name ?? `test-${randomUUID()}`;
  const connection = await Connection.connect({ address: temporalAddress() });
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
    });
    if (options.searchAttributes !== false) {
      // The server's caches learn of a namespace a moment later.
      await eventually(() =>
        connection.operatorService.addSearchAttributes({
          namespace,
          searchAttributes: Object.fromEntries(
            Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => [name, TYPE_NUMBERS[type]]),
          ),
        }),
      );
      await eventually(async () => {
        const { customAttributes } = await connection.operatorService.listSearchAttributes({
          namespace,
        });
        for (const name of Object.keys(SEARCH_ATTRIBUTES)) {
          if (customAttributes?.[name] === undefined) throw new Error(`${name} is not there yet`);
        }
      });
    }
    await eventually(() => connection.workflowService.describeNamespace({ namespace }));
    return namespace;
  } finally {
    await connection.close();
  }
}
