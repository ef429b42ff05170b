import type { Extra } from '../../cli/app.ts';
import { registerCodec } from './codec-command.ts';
import { readKeys } from './keys.ts';
import { leaveOutMessages } from './quiet-logger.ts';
import { createSealer } from './sealer.ts';

/**
 * Encrypts what Temporal and the ledger hold, with the keys of `AGENT_ONCE_ENCRYPTION_KEYS`. Without
 * keys all stays plain, and what is encrypted is refused with a clear error.
 */
export const encryption: Extra = {
  name: 'encryption',
  commands: (program) => {
    program.commandsGroup('Parts:');
    registerCodec(program);
  },
  async plugins() {
    const keys = readKeys();
    const { encryptPayloads } = await import('./plugin.ts');
    return [encryptPayloads(keys)];
  },
  runtime(options, { logLevel }) {
    const { logger } = options;
    if (!logger || logLevel === 'debug' || !readKeys().first) return options;
    return { ...options, logger: leaveOutMessages(logger) };
  },
  sealer: () => createSealer(readKeys()),
};
