import { readOneOf } from '../../../index.ts';

/** Settings of this app's own; those of the engine are in docs/configuration.md. */
export const settings = {
  /** In which language the days of the week are named. */
  language: (env?: NodeJS.ProcessEnv) =>
    readOneOf('CALENDAR_LANGUAGE', ['en', 'de', 'fr'], env) ?? 'en',
};
