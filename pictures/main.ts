/**
 * `npm run pictures`: takes the pictures of Temporal UI that the documentation shows.
 * `npm run pictures -- FOLDER` writes them elsewhere.
 */
import path from 'node:path';
import { AgentOnceError } from '../src/contract/errors.ts';
import { PROJECT_ROOT } from '../src/extras/dev/paths.ts';
import { takePictures } from './take-pictures.ts';

const folder = path.resolve(process.argv[2] ?? path.join(PROJECT_ROOT, 'docs', 'pictures'));
try {
  await takePictures(folder, (line) => console.error(line));
} catch (error) {
  if (!(error instanceof AgentOnceError)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}
