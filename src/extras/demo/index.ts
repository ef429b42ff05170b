import type { Extra } from '../../cli/app.ts';
import type { BesidePart } from '../dev/beside.ts';
import { registerDemo, registerStarter } from './command.ts';
import { withoutTokens } from './without-tokens.ts';

/** The example's main job, with a worker that is killed at the worst moment. */
export function demo({ beside }: { beside: readonly BesidePart[] }): Extra {
  return {
    name: 'demo',
    commands: (program) => {
      program.commandsGroup('Parts:');
      registerDemo(program, beside);
      registerStarter(program);
    },
    worker: withoutTokens,
  };
}
