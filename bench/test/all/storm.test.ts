import { expect, test } from '@jest/globals';
import type { Row } from '../../row.ts';
import { bench } from './run-bench.ts';

// No figure is judged here: other suites use the machine at the same time. That each storm makes one run,
// and that all callers are told of it, the benchmark itself insists on.
test('npm run bench measures storms on one key by time and by requests, and duplicates', async () => {
  const { stdout, stderr } = await bench(
    '--part storm --repetitions 1 --callers 6 --clients 1,2 --duplicates 2 --json',
  );
  const { rows } = JSON.parse(stdout) as { rows: Row[] };
  const of = (what: string, unit: string) =>
    rows.find((row) => row.what === what && row.unit === unit);

  for (const clients of ['one client', '2 clients']) {
    const what = `6 callers of a new key, ${clients}`;
    expect(of(what, 'ms')?.ours.min).toBeGreaterThan(0);
    expect(of(what, 'ms')?.plain.min).toBeGreaterThan(0);
    expect(of(what, 'StartWorkflowExecution')?.ours.max).toBe(clients === 'one client' ? 1 : 2);
    expect(of(what, 'StartWorkflowExecution')?.plain.max).toBe(6);
    expect(of(what, 'PollWorkflowExecutionHistory')?.plain.min).toBeGreaterThanOrEqual(6);
    expect(stderr).toContain(`| ${what} `);
  }
  const duplicate = of('a duplicate by a new client, against its requests bare', 'ms');
  expect(duplicate?.ours.min).toBeGreaterThan(0);
  expect(duplicate?.plain.min).toBeGreaterThan(0);
});
