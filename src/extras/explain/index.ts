import type { Extra } from '../../cli/app.ts';
import { registerExplain } from './command.ts';

/** What happened to a run, step by step. */
export const explain: Extra = {
  name: 'explain',
  commands: (program, app) => {
    program.commandsGroup('Runs:');
    registerExplain(program, app.agents);
  },
};
