import type pg from 'pg';

/**
 * Makes a function that takes the connections out of the pools which nobody is using. The pool
 * itself takes one out only when it breaks or was idle for long.
 */
export function discardIdle(...pools: readonly pg.Pool[]): () => void {
  const idle = new Set<pg.PoolClient>();
  for (const pool of pools) {
    pool.on('acquire', (client) => idle.delete(client));
    pool.on('release', (_error, client) => idle.add(client));
    pool.on('remove', (client) => idle.delete(client));
  }
  return () => {
    // To the pool, an idle connection with an error is one that broke.
    for (const client of idle) client.emit('error', new Error('The server takes no writes.'));
  };
}
