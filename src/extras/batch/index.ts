import type { Extra } from '../../cli/app.ts';
import { addBatch } from './command.ts';

/** `agent-once start --batch`: many runs, one a line of a file. */
export const batch: Extra = { name: 'batch', commands: addBatch };
