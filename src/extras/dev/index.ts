import type { Extra } from '../../cli/app.ts';
import type { BesidePart } from './beside.ts';
import { registerDev } from './command.ts';

export type { BesidePart } from './beside.ts';

/** Everything that is needed on one machine, and what the app starts beside it. */
export function dev({ beside = [] }: { beside?: readonly BesidePart[] } = {}): Extra {
  return { name: 'dev', commands: (program) => registerDev(program, beside) };
}

/** For scripts of the scripted model. */
export type { Script, ScriptReply } from './scripted-model/script.ts';
export { offeredTools, textOf } from './scripted-model/wire.ts';
