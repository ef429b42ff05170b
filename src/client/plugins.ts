import type { ClientPlugin } from '@temporalio/client';

type LoadPlugins = () => Promise<readonly ClientPlugin[]>;

let loaders: readonly LoadPlugins[] = [];

/** Makes the plugins of Temporal's library known to this process that extras bring along. */
export function registerPlugins(extras: readonly { plugins?: LoadPlugins }[]): void {
  loaders = extras.flatMap(({ plugins }) => plugins ?? []);
}

/** For each client and each worker of this process, in the order of the composition. */
export async function loadPlugins(): Promise<ClientPlugin[]> {
  return (await Promise.all(loaders.map((load) => load()))).flat();
}
