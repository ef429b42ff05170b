import type { Extra } from '../../cli/app.ts';
import { registerNew } from './command.ts';

/** `agent-once new`: a copy of this template that is somebody's own. */
export const template: Extra = { name: 'template', commands: registerNew };
