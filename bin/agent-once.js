#!/usr/bin/env node
// In a checkout the TypeScript sources run as they are; a build has only `dist`.
import { existsSync } from 'node:fs';
import { register } from 'node:module';

const source = new URL('../src/cli/main.ts', import.meta.url);

if (existsSync(source)) {
  // Node 22.18 and later strip types by themselves.
  if (!process.features.typescript) register('./typescript-loader.js', import.meta.url);
  process.setSourceMapsEnabled(true);
  await import(source.href);
} else {
  await import('../dist/cli/main.js');
}
