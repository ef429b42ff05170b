import { rm } from 'node:fs/promises';
import { takeRunningServers } from './running-servers.ts';

/** Stops the servers that the set-up started and removes their folder. */
export default async function globalTeardown(): Promise<void> {
  const servers = takeRunningServers();
  if (servers === undefined) return;
  await Promise.allSettled(servers.stops.map((stop) => stop()));
  await rm(servers.folder, { recursive: true, force: true });
}
