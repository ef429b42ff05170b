import { defineAgent } from '../src/define/define-agent.ts';
import { QUICK, toolsIn } from './tools.ts';

/** Has the kit's tools in both lanes. */
export const chaosAgent = defineAgent({
  name: 'chaos',
  description: 'Plays the scripts of the crash kit.',
  instructions: 'You play what the script says.',
  tools: [...toolsIn('standard'), ...toolsIn('fast')],
  model: 'scripted',
  modelPolicy: QUICK,
});
