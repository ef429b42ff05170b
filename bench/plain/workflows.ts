export { plainAgent } from './workflow.ts';
export { plainLocalAgent } from './local-workflow.ts';
