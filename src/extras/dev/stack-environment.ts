import path from 'node:path';
import { CACHE_DIR } from './paths.ts';
import type { Stack } from './stack.ts';

/**
 * The environment in which a worker or a command finds a stack: ours, without what would lead to
 * another Temporal (a profile, an API key, TLS).
 */
export function stackEnvironment(stack: Stack): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !name.startsWith('TEMPORAL_') || ['TEMPORAL_CLI', 'TEMPORAL_NAMESPACE'].includes(name),
  );
  return {
    ...Object.fromEntries(kept),
    // A file that does not exist: an empty one is an error to the SDK.
    TEMPORAL_CONFIG_FILE: path.join(CACHE_DIR, 'no-temporal-config.toml'),
    TEMPORAL_ADDRESS: stack.temporal,
    TEMPORAL_UI_URL: stack.ui,
    LEDGER_URL: stack.ledger,
    ...(stack.model === undefined
      ? {}
      : { OPENAI_BASE_URL: stack.model, OPENAI_API_KEY: 'scripted-model' }),
    ...Object.fromEntries(stack.beside.map(({ variable, url }) => [variable, url])),
  };
}
