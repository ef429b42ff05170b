import type { NativeConnection } from '@temporalio/worker';
import { SEARCH_ATTRIBUTES } from '../contract/names.ts';

/** Numbers of Temporal's `IndexedValueType`. */
const TYPE_NUMBERS = { Keyword: 2, Double: 4 } as const;

/**
 * What to tell the operator when the namespace lacks the search attributes of runs, or has them
 * with other types; `undefined` when all is well or the server does not say.
 */
export async function searchAttributesProblem(
  connection: NativeConnection,
  namespace: string,
): Promise<string | undefined> {
  const answer = await connection.operatorService
    .listSearchAttributes({ namespace })
    .catch(() => undefined);
  // Temporal Cloud does not offer this call: then a start says what is missing.
  if (!answer) return undefined;
  const registered = answer.customAttributes ?? {};
  const wanted = Object.entries(SEARCH_ATTRIBUTES);
  const missing = wanted.filter(([name]) => registered[name] === undefined);
  const wrong = wanted.filter(
    ([name, type]) => registered[name] !== undefined && registered[name] !== TYPE_NUMBERS[type],
  );
  if (wrong.length > 0) {
    return `Search attributes of another type than runs need: ${wrong.map(([name, type]) => `${name} must be ${type}`).join(', ')}. Or set AGENT_ONCE_SEARCH_ATTRIBUTES=off.`;
  }
  if (missing.length === 0) return undefined;
  const flags = missing.map(([name, type]) => `--name ${name} --type ${type}`).join(' ');
  return `The namespace lacks search attributes. Register them with "temporal operator search-attribute create --namespace ${namespace} ${flags}", or set AGENT_ONCE_SEARCH_ATTRIBUTES=off for workers and callers.`;
}
