#!/usr/bin/env node
// In a checkout the TypeScript sources run as they are; a build has only `dist`.
import { existsSync } from 'node:fs';

const source = new URL('../src/main.ts', import.meta.url);

// The errors of commands name the cause; gRPC would write lines of its own above them.
process.env.GRPC_VERBOSITY ??= 'NONE';

if (existsSync(source)) {
  await import('./register-typescript.js');
  await import(source.href);
} else {
  await import('../dist/main.js');
}
