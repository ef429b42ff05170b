import type { LoggerOptions } from 'pino';
import type { Extra } from '../../cli/app.ts';
import { registerKeyHash } from './key-hash.ts';
import type { Logs } from './open-logs.ts';

/** What the commands that serve are in a line. */
const PARTS: Readonly<Record<string, string>> = { worker: 'worker', serve: 'service' };

let opened: Logs | undefined;

/** JSON logs by pino, without clients' keys, from workers, the service and Temporal's library. */
export const logs: Extra = {
  name: 'logs',
  commands: (program) => {
    program.commandsGroup('Parts:');
    registerKeyHash(program);
    program.hook('preAction', async (_program, command) => {
      const part = PARTS[command.name()];
      if (part === undefined || command.parent !== program) return;
      opened = await (await import('./open-logs.ts')).openLogs(part);
    });
  },
  runtime: (options) => opened?.runtime(options) ?? options,
  plugins: async () => (opened ? [(await import('./name-steps.ts')).nameSteps(opened.trace)] : []),
  pino: (options: LoggerOptions & { stream?: NodeJS.WriteStream }) =>
    opened?.pino(options) ?? options,
};
