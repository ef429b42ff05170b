/** What the set-up leaves for the tear-down; Jest loads both in the same process. */
export interface RunningServers {
  folders: string[];
  stops: (() => Promise<void>)[];
}

const KEY = Symbol.for('agent-once.test.running-servers');
type Holder = { [KEY]?: RunningServers | undefined };

export function setRunningServers(servers: RunningServers): void {
  (globalThis as Holder)[KEY] = servers;
}

export function takeRunningServers(): RunningServers | undefined {
  const servers = (globalThis as Holder)[KEY];
  (globalThis as Holder)[KEY] = undefined;
  return servers;
}
