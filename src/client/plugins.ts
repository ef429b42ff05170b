import type { ClientPlugin } from '@temporalio/client';

/** Extras: some of them bring plugins of Temporal's library along. */
export type WithPlugins = readonly { plugins?(): Promise<readonly ClientPlugin[]> }[];

let ofProcess: WithPlugins = [];

/** Sets the extras whose plugins clients and workers of this process have, unless told otherwise. */
export function registerPlugins(extras: WithPlugins): void {
  ofProcess = extras;
}

/** Makes the plugins of one client or worker. Those of the first extra come first. */
export async function loadPlugins(extras = ofProcess): Promise<ClientPlugin[]> {
  return (await Promise.all(extras.map(async (extra) => (await extra.plugins?.()) ?? []))).flat();
}
