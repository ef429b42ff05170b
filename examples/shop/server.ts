import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import { AgentOnceError } from '../../src/contract/errors.ts';
import { installIdempotency } from '../../src/extras/idempotency/install.ts';
import { openDatabase } from './database.ts';
import { addRoutes } from './routes.ts';

export interface Shop {
  /** `http://127.0.0.1:8090`: what `SHOP_URL` is set to. */
  url: string;
  port: number;
  /** Stops at once: requests in flight are broken, transactions finish. */
  stop(): Promise<void>;
}

/**
 * Starts the example shop on 127.0.0.1: an HTTP service with its own tables (schema `shop`) that
 * are made at the first start.
 *
 * @param options `port` 0 (default): any free one
 * @throws {AgentOnceError} `port.in_use`; and what `pg` throws when the database does not answer
 */
export async function startShop(options: { port?: number; databaseUrl: string }): Promise<Shop> {
  const pool = await openDatabase(options.databaseUrl);
  await installIdempotency(pool);
  const app = fastify({ forceCloseConnections: true });
  addRoutes(app, pool);
  const stop = async (): Promise<void> => {
    await app.close();
    await pool.end();
  };
  try {
    await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  } catch (error) {
    await stop();
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new AgentOnceError(
      'port.in_use',
      `Port ${options.port}, where the example shop should listen, is in use. Stop what listens there, or choose another port (0: any free one).`,
      { cause: error },
    );
  }
  const { port } = app.server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, stop };
}

/** As `agent-once dev` starts it. */
export { startShop as start };
