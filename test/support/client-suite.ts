import { Client } from '@temporalio/client';
import { AgentOnceClient } from '../../src/client/agent-once-client.ts';
import type { ClientOptions } from '../../src/client/types.ts';
import { createHandWorker, type HandWorker } from './hand-worker.ts';
import { createTestNamespace } from './namespace.ts';
import { connectTestClient } from './servers.ts';

/** A client on a namespace of its own, and a hand to end its runs with. */
export interface ClientSuite {
  client: AgentOnceClient;
  temporal: Client;
  namespace: string;
  worker: HandWorker;
  /** Another client on the same namespace. */
  clientWith(options: Partial<ClientOptions>): AgentOnceClient;
  close(): Promise<void>;
}

export async function startClientSuite(
  options: { searchAttributes?: boolean } = {},
): Promise<ClientSuite> {
  const namespace = await createTestNamespace(options);
  const { connection, close } = await connectTestClient();
  const temporal = new Client({ connection, namespace });
  const clientWith = (more: Partial<ClientOptions>) =>
    new AgentOnceClient({ temporal, ...options, ...more });
  return {
    client: clientWith({}),
    temporal,
    namespace,
    worker: createHandWorker(temporal),
    clientWith,
    close,
  };
}

/** The code of the error that a promise rejects with; `undefined` when it resolves. */
export async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}
