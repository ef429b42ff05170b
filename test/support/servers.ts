import { Client, Connection } from '@temporalio/client';

/** The client and what closes it. */
export interface TestClient {
  client: Client;
  connection: Connection;
  close(): Promise<void>;
}

/** Address of the Temporal server that all suites share: `127.0.0.1:…`. */
export function temporalAddress(): string {
  return required('TEST_TEMPORAL_ADDRESS');
}

/** Where the shared Temporal server has its metrics. */
export function temporalMetricsUrl(): string {
  return required('TEST_TEMPORAL_METRICS_URL');
}

/** URL of a database of the PostgreSQL that all suites share; only to make other databases with. */
export function postgresUrl(): string {
  return required('TEST_POSTGRES_URL');
}

/** Connects to the shared Temporal server; the caller closes it in `afterAll`. */
export async function connectTestClient(namespace = 'default'): Promise<TestClient> {
  const connection = await Connection.connect({ address: temporalAddress() });
  return {
    client: new Client({ connection, namespace }),
    connection,
    close: () => connection.close(),
  };
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run the tests through Jest.`);
  return value;
}
