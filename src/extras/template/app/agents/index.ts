/** The agents of this app: each export is one. */
export { calendar } from './calendar.ts';
