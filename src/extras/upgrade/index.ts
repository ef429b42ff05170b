import type { Extra } from '../../cli/app.ts';
import { registerUpgrade } from './command.ts';

/** `agent-once upgrade`: a copy of the template gets the template's new version. */
export const upgrade: Extra = { name: 'upgrade', commands: registerUpgrade };
