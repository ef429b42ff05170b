import type { Extra } from '../../cli/app.ts';
import { registerCleanup } from './cleanup.ts';
import { registerDoctor } from './doctor.ts';
import { registerForget } from './forget.ts';
import { registerLedger } from './ledger.ts';

/** Commands for whoever looks after keys and the ledger. */
export const maintenance: Extra = {
  name: 'maintenance',
  commands: (program, app) => {
    program.commandsGroup('Runs:');
    registerForget(program, app.agents);
    program.commandsGroup('Parts:');
    registerDoctor(program, app);
    registerCleanup(program);
    registerLedger(program, app);
  },
};
