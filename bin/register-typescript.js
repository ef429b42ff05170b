// `node --import ./bin/register-typescript.js file.ts`: runs TypeScript as the command does.
import { register } from 'node:module';

// Node 22.18 and later strip types by themselves.
if (!process.features.typescript) register('./typescript-loader.js', import.meta.url);
process.setSourceMapsEnabled(true);
