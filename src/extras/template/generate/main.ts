// Writes a copy into a folder: started by `agent-once new`, and by `agent-once upgrade` in the new
// version's checkout. Its argument and its answer, on stdout, are JSON, so that versions can differ.
import fs from 'node:fs';
import path from 'node:path';
import { isOwners, type Order, type Written } from '../../upgrade/generate.ts';
import { countLines } from './count-lines.ts';
import { makeLock } from './make-lock.ts';
import { planCopy } from './plan-copy.ts';

const root = path.resolve(import.meta.dirname, '../../../..');

try {
  const order = JSON.parse(process.argv[2] ?? '') as Order;
  const files = await planCopy(root, order);
  for (const [file, text] of files) {
    if (order.upgrade && isOwners(file)) continue;
    const target = path.join(order.folder, file);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, text);
  }
  makeLock(root, order.folder);
  const { version, extras } = JSON.parse(files.get('agent-once.json') ?? '{}') as Written;
  console.log(JSON.stringify({ version, extras, ...countLines(files) } satisfies Written));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = error instanceof RangeError ? 2 : 1;
}
