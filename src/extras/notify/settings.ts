import { invalidSetting, readInterval } from '../../env.ts';

const EVERY = 'AGENT_ONCE_NOTIFY_EVERY';

/** How often is looked for what somebody must be told, in milliseconds. */
export function readNotifyEvery(env?: NodeJS.ProcessEnv): number {
  const every = readInterval(EVERY, '5s', env);
  if (every === undefined)
    throw invalidSetting(EVERY, 'cannot be off: it is an interval such as 5s');
  return every;
}
