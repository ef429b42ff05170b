import { rm } from 'node:fs/promises';
import { takeRunningServers } from './running-servers.ts';

/** Stops the servers that the set-up started and removes its folders. */
export default async function globalTeardown(): Promise<void> {
  const servers = takeRunningServers();
  if (servers === undefined) return;
  await Promise.allSettled(servers.stops.map((stop) => stop()));
  for (const folder of servers.folders) await rm(folder, { recursive: true, force: true });
}
