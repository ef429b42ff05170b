import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { read, runs } from '../../../../test/support/read-commands.ts';
import { batchCommandFor } from '../show-batch.ts';

const agent = 'support';

test('a command that is printed names the same batch when it is typed', async () => {
  await fc.assert(
    fc.asyncProperty(runs, async (many) => {
      const batches = many.map((run) => batchCommandFor({ agent, file: run.key, ...run }));
      expect(await read(batches)).toMatchObject(
        many.map(({ key, tenant }) => ({
          operands: [agent],
          options: { key, tenant, batch: key },
        })),
      );
    }),
    { numRuns: 25 },
  );
});
