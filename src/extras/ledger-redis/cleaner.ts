import { removeInParts, type LedgerCleaner, type OldScope } from '../../ledger/cleaner.ts';
import { list, pairs, type Connection } from './connection.ts';
import { keys } from './keys.ts';
import { loadScript } from './script.ts';

const OLD = loadScript('old');
const UNMARK = loadScript('unmark');
const REMOVE = loadScript('remove');

/** A script stops everybody else. */
const STEPS_AT_ONCE = 200;

/** Scopes are found by scanning the keys, in no order. */
export function redisCleaner(connection: Connection): LedgerCleaner {
  return {
    async register({ id, name }) {
      await connection.command(['HSET', keys.homes, id, name]);
      const homes = pairs(await connection.command(['HGETALL', keys.homes]));
      return homes
        .map((home) => ({ id: String(home[0]), name: String(home[1]) }))
        .filter((home) => home.id !== id);
    },
    async oldScopes({ olderThanMs, after, limit }) {
      const scopes: OldScope[] = [];
      let cursor = after ?? '0';
      let seen = 0;
      do {
        const from = cursor;
        const page = await scanScopes(connection, from);
        cursor = page.next;
        seen += page.scopes.length;
        const read = page.scopes.map(async (scope) => {
          const executions = await readOld(connection, scope, olderThanMs);
          // What was found with this scope is found again from there.
          return executions && { scope, cursor: from, executions };
        });
        scopes.push(...(await Promise.all(read)).filter((old) => old !== undefined));
      } while (cursor !== '0' && seen < limit);
      return { scopes, next: cursor === '0' ? null : cursor };
    },
    async mark(scopes) {
      const marks = scopes.map((scope) => ['SET', keys.retired(scope), 'provisional', 'NX']);
      await Promise.all(marks.map((mark) => connection.command(mark)));
    },
    async unmark(scopes) {
      const taken = await Promise.all(
        scopes.map((scope) => connection.run(UNMARK, [keys.retired(scope)], [])),
      );
      return scopes.filter((_scope, at) => taken[at] === 1);
    },
    remove: (scope) =>
      removeInParts(STEPS_AT_ONCE, async () => {
        const reply = await connection.run(
          REMOVE,
          [keys.index(scope), keys.questions(scope), keys.shares(scope), keys.retired(scope)],
          [keys.stepPrefix(scope), scope, STEPS_AT_ONCE],
        );
        const [steps = 0, questions = 0, shares = 0, bytes = 0] = list(reply).map(Number);
        return { steps, questions, shares, bytes };
      }),
  };
}

/** Some of the scopes that there are, each once; over all cursors each at least once. */
async function scanScopes(
  connection: Connection,
  cursor: string,
): Promise<{ next: string; scopes: string[] }> {
  const [prefix = '', suffix = ''] = keys.index('*').split('*');
  const { next, names } = await connection.scan(cursor, keys.index('*'));
  const scopes = names.map((name) => name.slice(prefix.length, -suffix.length));
  return { next, scopes: [...new Set(scopes)] };
}

/** `undefined`: something happened there lately. */
async function readOld(
  connection: Connection,
  scope: string,
  olderThanMs: number,
): Promise<OldScope['executions'] | undefined> {
  const reply = await connection.run(
    OLD,
    [keys.index(scope), keys.questions(scope), keys.shares(scope)],
    [keys.stepPrefix(scope), olderThanMs],
  );
  if (!Array.isArray(reply)) return undefined;
  return pairs(reply).map(([workflowId, runId]) => ({
    workflowId: String(workflowId),
    runId: String(runId),
  }));
}
