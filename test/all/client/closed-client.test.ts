import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AgentOnceClient } from '../../../src/client/agent-once-client.ts';
import { codeOf, startClientSuite, type ClientSuite } from '../../support/client-suite.ts';
import { eventually } from '../../support/eventually.ts';
import { startOwnTemporal, type OwnTemporal } from '../../support/own-temporal.ts';
import { requestsOf } from '../../support/requests-of.ts';
import { temporalAddress } from '../../support/servers.ts';

let own: OwnTemporal;
let suite: ClientSuite;

beforeAll(async () => {
  own = await startOwnTemporal();
  suite = await startClientSuite({ searchAttributes: false });
});
afterAll(async () => {
  await (suite as ClientSuite | undefined)?.close();
  await own.stop();
});

// The server answers a long poll after 20 s at most, and the next one cannot be sent.
test('callers who wait together, whose client is closed, are told, each of them', async () => {
  const request = { agent: 'support', key: 'k', input: 'x' };
  const { runId } = await suite.client.start(request);
  const connection = await Connection.connect({ address: temporalAddress() });
  const temporal = new Client({ connection, namespace: suite.namespace });
  const client = new AgentOnceClient({ temporal, close: () => connection.close() });
  const codes = [1, 2, 3].map(() => codeOf(client.result(request, { runId })));
  await eventually(async () =>
    expect(await requestsOf(suite.temporal)).toMatchObject({ PollWorkflowExecutionHistory: 1 }),
  );
  await client.close();
  expect(await Promise.all(codes)).toEqual(codes.map(() => 'temporal.failed'));
});
