import type { Extra } from '../../cli/app.ts';
import { registerApiKeys } from './api-keys-command.ts';
import { registerServe } from './serve-command.ts';

/** Runs over HTTP. */
export const service: Extra = {
  name: 'service',
  commands: (program, app) => {
    program.commandsGroup('Parts:');
    registerServe(program, app);
    registerApiKeys(program);
  },
};
