import { test } from '@jest/globals';
import { app } from '../../src/app/compose.ts';

/** Whether the app has an extra: each can be deleted. */
export function hasExtra(name: string): boolean {
  return app.extras.some((extra) => extra.name === name);
}

/** `test`, skipped where an extra is missing whose command it uses. */
export function testWith(...extras: string[]): typeof test | typeof test.skip {
  return extras.every(hasExtra) ? test : test.skip;
}
