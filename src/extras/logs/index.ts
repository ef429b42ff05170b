import type { LoggerOptions } from 'pino';
import type { Extra } from '../../cli/app.ts';
import { registerKeyHash } from './key-hash.ts';
import type { Logs } from './open-logs.ts';

let opened: Logs | undefined;

/** JSON logs by pino, without clients' keys, from workers, the service and Temporal's library. */
export const logs: Extra = {
  name: 'logs',
  commands: (program) => {
    program.commandsGroup('Parts:');
    registerKeyHash(program);
  },
  log: {
    async open(part) {
      opened = await (await import('./open-logs.ts')).openLogs(part);
    },
    runtime: (options) => opened?.runtime(options) ?? options,
    pino: (options: LoggerOptions & { stream?: NodeJS.WriteStream }) =>
      opened?.pino(options) ?? options,
  },
  plugins: async () => (opened ? [(await import('./name-steps.ts')).nameSteps()] : []),
};
