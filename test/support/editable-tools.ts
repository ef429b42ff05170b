import { z } from 'zod';
import { defineTool, type ToolContext, type ToolDefinition } from '../../src/define/define-tool.ts';

type Count = (name: string, ctx: ToolContext) => Promise<unknown>;
type Policy = Pick<ToolDefinition, 'heartbeatMs' | 'leaseMs' | 'retry'>;

const input = z.object({
  label: z.string(),
  amount: z.int().positive().max(1_000),
  currency: z.string().default('EUR'),
});

/** Of every effect, counted by their arguments: `pay:LABEL:AMOUNT`. */
export function editableTools(count: Count, policy: Policy): ToolDefinition[] {
  const seconds = Number(process.env['TEST_VALID_SECONDS'] ?? 3_600);
  const common = {
    input,
    approval: { editable: true },
    approvalValidSeconds: seconds,
    summary: ({ label, amount, currency }: z.output<typeof input>) =>
      `${amount} ${currency} to ${label}`,
    ...policy,
  };
  const counted =
    (name: string) =>
    ({ label, amount }: z.output<typeof input>, ctx: ToolContext) =>
      count(`${name}:${label}:${amount}`, ctx);
  return [
    defineTool({
      ...common,
      name: 'pay',
      description: 'Pays once per token.',
      effect: 'keyed',
      run: counted('pay'),
    }),
    defineTool({
      ...common,
      name: 'wire',
      description: 'Sends money at most once.',
      effect: 'at-most-once',
      run: counted('wire'),
    }),
    defineTool({
      ...common,
      name: 'enter',
      description: 'Adds a row to a table beside the ledger.',
      effect: 'transactional',
      async run({ label, amount }, { tx, token }) {
        const values = [`${label}:${amount}`, token];
        await tx.query('INSERT INTO notes (label, token) VALUES ($1, $2)', values);
        return { entered: amount };
      },
    }),
    defineTool({
      ...common,
      name: 'quote',
      description: 'Reads, once a run, what is always the same.',
      effect: 'read',
      dedup: 'run',
      run: counted('quote'),
    }),
    defineTool({
      ...common,
      name: 'dispatch',
      description: 'Sends once in a while, whoever asks.',
      effect: 'keyed',
      dedup: { windowSeconds: 600 },
      run: counted('dispatch'),
    }),
  ];
}
