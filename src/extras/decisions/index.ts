import type { Extra } from '../../cli/app.ts';
import { registerApprove, registerDeny } from './approve.ts';
import { registerResolve } from './resolve.ts';

/** A person's answers to what a run asks, from a terminal. */
export const decisions: Extra = {
  name: 'decisions',
  commands: (program, app) => {
    program.commandsGroup('What a run asks people:');
    registerResolve(program, app.agents);
    registerApprove(program, app.agents);
    registerDeny(program, app.agents);
  },
};
