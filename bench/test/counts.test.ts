import { expect, test } from '@jest/globals';
import { countStatements } from '../ledger-counts.ts';
import { countedBetween, countsIn, sumOf } from '../temporal-metrics.ts';

const PAGE = `# HELP service_requests requests
# TYPE service_requests counter
service_requests{namespace="default",operation="StartWorkflowExecution",service_name="frontend"} 3
service_requests{namespace="other",operation="StartWorkflowExecution",service_name="frontend"} 2
service_requests{namespace="temporal_system",operation="StartWorkflowExecution",service_name="frontend"} 9
service_requests{namespace="default",operation="StartWorkflowExecution",service_name="history"} 9
service_requests_more{namespace="default",operation="Other",service_name="frontend"} 9
action{action_type="grpc_StartWorkflowExecution",namespace="default",service_name="frontend"} 5
`;

test('requests and actions are read from the metrics of Temporal’s frontend, without its own workflows', () => {
  const requests = countsIn(PAGE, 'service_requests', 'operation');
  expect([...requests]).toEqual([['StartWorkflowExecution', 5]]);
  expect([...countsIn(PAGE, 'action', 'action_type')]).toEqual([
    ['grpc_StartWorkflowExecution', 5],
  ]);
});

test('what was counted in between has only what has grown', () => {
  const before = new Map([
    ['a', 1],
    ['b', 2],
  ]);
  const after = new Map([
    ['a', 1],
    ['b', 5],
    ['c', 4],
  ]);
  const between = countedBetween(before, after);
  expect([...between]).toEqual([
    ['b', 3],
    ['c', 4],
  ]);
  expect(sumOf(between)).toBe(7);
});

test('renewals of leases are counted apart, and a lock is no write', () => {
  const statement = (query: string, calls: number) => ({ query, calls, walBytes: calls * 10 });
  const { steps, renewals } = countStatements([
    statement('BEGIN', 2),
    statement('SELECT state FROM agent_once.steps WHERE step = $1 FOR UPDATE', 3),
    statement('SELECT state FROM agent_once.steps WHERE step = $1 FOR NO KEY UPDATE OF s', 4),
    statement('\nINSERT INTO agent_once.worker_leases AS l (id) VALUES ($1)', 50),
    statement('INSERT INTO agent_once.steps AS s VALUES ($1) ON CONFLICT DO UPDATE SET a = $2', 5),
    statement('WITH w AS (SELECT $1) UPDATE agent_once.steps SET a = $1', 6),
    statement('DELETE FROM agent_once.steps', 7),
  ]);
  expect(renewals).toBe(50);
  expect(steps).toMatchObject({ statements: 27, writes: 18, walBytes: 270 });
});
