// Every agent that workers run and commands know. `npm run new agent NAME` adds its line.
export { calendar } from './calendar.ts';
