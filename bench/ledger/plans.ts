import { Database } from '../../src/ledger/postgres/database.ts';
import { withClient } from './fill.ts';

/** A statement that the ledger has sent. */
export interface Sent {
  text: string;
  values: readonly unknown[];
}

/** A table in a plan, and how it is read: `Index Scan using steps_pkey`. */
export interface Scan {
  table: string;
  how: string;
}

export interface Plan {
  what: string;
  statement: string;
  /** With the statement's own values, and without: which of them a session takes is PostgreSQL's choice. */
  scans: { own: Scan[]; generic: Scan[] };
  /** Of tables and indexes, that it looks at where it is repeated: the cost without the machine. */
  pages: number;
}

/** Node of a plan, as EXPLAIN's JSON has it. */
export interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Shared Hit Blocks'?: number;
  'Shared Read Blocks'?: number;
  Plans?: PlanNode[];
}

/** Each different statement that is sent while `work` goes on, with the values of the last one. */
export async function listen(work: () => Promise<unknown>): Promise<Sent[]> {
  const sent = new Map<string, Sent>();
  const { query } = Database.prototype;
  Database.prototype.query = function (text, values?) {
    sent.set(text, { text, values: values ?? [] });
    return query.call(this, text, values) as never;
  };
  try {
    await work();
  } finally {
    Database.prototype.query = query;
  }
  return [...sent.values()];
}

/** How the server reads its tables for each statement; what one does is rolled back. */
export function explain(url: string, what: string, sent: readonly Sent[]): Promise<Plan[]> {
  return withClient(url, async (client) => {
    await client.query('SET search_path = pg_catalog');
    const explained = async (options: string, text: string, values?: unknown[]) => {
      await client.query('BEGIN');
      const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
        `EXPLAIN (${options}, FORMAT JSON) ${text}`,
        values,
      );
      await client.query('ROLLBACK');
      return rows.map((row) => row['QUERY PLAN'][0].Plan);
    };
    const plans: Plan[] = [];
    for (const { text, values } of sent) {
      const own = await explained('ANALYZE, BUFFERS', text, [...values]);
      const generic = await explained('GENERIC_PLAN', text);
      const scans = { own: own.flatMap(scansIn), generic: generic.flatMap(scansIn) };
      const [{ 'Shared Hit Blocks': hit = 0, 'Shared Read Blocks': read = 0 } = {}] = own;
      plans.push({ what, statement: text.trim(), scans, pages: hit + read });
    }
    return plans;
  });
}

/** Every table that a plan reads, each way once. */
export function scansIn(plan: PlanNode): Scan[] {
  const found = new Map<string, Scan>();
  const visit = (node: PlanNode): void => {
    const table = node['Relation Name'];
    if (table !== undefined && node['Node Type'] !== 'ModifyTable') {
      const index =
        node['Index Name'] ?? node.Plans?.map((each) => each['Index Name']).find(Boolean);
      const how = node['Node Type'] + (index === undefined ? '' : ` using ${index}`);
      found.set(`${table} ${how}`, { table, how });
    }
    for (const below of node.Plans ?? []) visit(below);
  };
  visit(plan);
  return [...found.values()];
}

/** Plans that read the whole of a table that is not small. */
export function sequential(plans: readonly Plan[], large: readonly string[]): string[] {
  return plans.flatMap(({ what, statement, scans }) =>
    [...scans.own, ...scans.generic]
      .filter(({ table, how }) => how === 'Seq Scan' && large.includes(table))
      .map(({ table }) => `${what} reads all of ${table}:\n${statement}`),
  );
}
