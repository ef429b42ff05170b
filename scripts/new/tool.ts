import type { Effect } from './effects.ts';
import { variableOf, type Names } from './names.ts';
import { testOf } from './tool-test.ts';

/**
 * The files of a tool.
 *
 * @param migrations names of the migrations that are there; a `transactional` tool gets the next one
 * @returns text by path
 */
export function toolFiles(
  names: Names,
  effect: Effect,
  migrations: readonly string[],
): Record<string, string> {
  const { file } = names;
  return {
    [`src/app/tools/${file}.ts`]: codeOf(names, effect),
    [`src/app/tools/${file}.test.ts`]: testOf(names, effect),
    ...(effect === 'transactional' ? migrationOf(names, migrations) : {}),
  };
}

function migrationOf({ name, file }: Names, there: readonly string[]): Record<string, string> {
  const last = Math.max(0, ...there.map((each) => Number.parseInt(each, 10) || 0));
  const number = String(last + 1).padStart(4, '0');
  return {
    [`src/app/migrations/${number}_${file}.sql`]: `-- The rows of the tool ${name}. Once released, a migration is not changed any more.
CREATE TABLE app.${name} (
  id text PRIMARY KEY,
  token text NOT NULL,
  written_at timestamptz NOT NULL DEFAULT now()
);
`,
  };
}

const ANSWER = `if (!response.ok) throw new Error(\`The other side answered \${response.status}.\`);
    return response.json();`;
const POST = `const response = await fetch(url(), {
      method: 'POST',
      headers: { ...ctx.headers, 'content-type': 'application/json' },
      body: JSON.stringify({ id }),
      signal: ctx.signal,
    });`;

/** What is known of each effect, and the tool's own code. */
const WORK: Readonly<Record<Effect, (names: Names) => { says: string; run: string }>> = {
  read: () => ({
    says: '`read`: it changes nothing, so any attempt may simply run again.',
    run: `async run({ id }, ctx) {
    const { headers, signal } = ctx;
    const response = await fetch(\`\${url()}/\${encodeURIComponent(id)}\`, { headers, signal });
    // What the model should hear is a result; what is thrown is tried again.
    if (response.status === 404) return { error: \`There is no \${id}.\` };
    ${ANSWER}
  },`,
  }),
  keyed: () => ({
    says: '`keyed`: every attempt sends the same `Idempotency-Key`. The other side must deduplicate by it.',
    run: `async run({ id }, ctx) {
    ${POST}
    ${ANSWER}
  },`,
  }),
  transactional: ({ name }) => ({
    says: '`transactional`: what it writes through `ctx.tx` commits together with the record of the step.',
    run: `async run({ id }, ctx) {
    const { rowCount } = await ctx.tx.query(
      'INSERT INTO app.${name} (id, token) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING',
      [id, ctx.token],
    );
    return rowCount ? { id } : { error: \`\${id} is there already.\` };
  },`,
  }),
  reconcile: () => ({
    says: '`reconcile`: an attempt that follows a lost one asks `find` first, which knows the effect by the token.',
    run: `async run({ id }, ctx) {
    const response = await fetch(url(), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ id, reference: ctx.token }),
      signal: ctx.signal,
    });
    ${ANSWER}
  },
  async find(_input, ctx) {
    const query = new URLSearchParams({ reference: ctx.token });
    const response = await fetch(\`\${url()}?\${query.toString()}\`, { signal: ctx.signal });
    if (response.status === 404) return undefined;
    // Where it cannot tell it must throw: \`undefined\` means that nothing happened.
    if (!response.ok) throw new Error(\`The other side answered \${response.status}.\`);
    return (await response.json()) as JsonValue;
  },`,
  }),
  'at-most-once': () => ({
    says: '`at-most-once`: an attempt that ends without an answer is not repeated; a person decides.',
    run: `async run({ id }, ctx) {
    ${POST}
    // It was read and refused: nothing happened. A 5xx, or a connection that breaks, does not say so.
    if (response.status >= 400 && response.status < 500) {
      throw new NotApplied(\`The other side answered \${response.status}.\`);
    }
    ${ANSWER}
  },`,
  }),
};

function codeOf(names: Names, effect: Effect): string {
  const { name, variable } = names;
  const { says, run } = WORK[effect](names);
  const imports = ['defineTool'];
  if (effect !== 'transactional') imports.push('readHttpUrl');
  if (effect === 'at-most-once') imports.push('NotApplied');
  if (effect === 'reconcile') imports.push('type JsonValue');
  const where = `
/** Where the other side is. */
const url = () => readHttpUrl('${variableOf(names)}') ?? 'http://127.0.0.1:8091';
`;
  return `
import { z } from 'zod';
import { ${imports.sort().join(', ')} } from '../../index.ts';
${effect === 'transactional' ? '' : where}
/** ${says} */
export const ${variable} = defineTool({
  name: '${name}',
  description: 'Tells the model what this does, and when to use it.',
  effect: '${effect}',
  input: z.object({ id: z.string().min(1).describe('Tells the model what this is') }),
  // One line for people, in Temporal UI. No secrets, no personal data.
  summary: ({ id }) => id,
  ${run}
});
`;
}
