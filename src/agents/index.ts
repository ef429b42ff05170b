import type { AgentDefinition } from './define-agent.ts';
import { support } from './support.ts';

/** Every agent that a worker runs and a client may start. */
export const agents: readonly AgentDefinition[] = [support];
