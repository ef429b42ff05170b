import { readHttpUrl } from '../index.ts';

/** Settings of this app's own; those of the engine are in docs/configuration.md. */
export const settings = {
  /** Where the example's shop is; default: where `agent-once dev` starts it. */
  shopUrl: (env?: NodeJS.ProcessEnv) => readHttpUrl('SHOP_URL', env) ?? 'http://127.0.0.1:8090',
};
