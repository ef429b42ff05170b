import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { expect } from '@jest/globals';

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/**
 * Compares an output with a file, which `UPDATE_GOLDEN=1` writes anew: to be read before it is
 * committed.
 */
export function expectGolden(name: string, output: string): void {
  const file = fileURLToPath(new URL(`./golden/${name}`, import.meta.url));
  const text = normalise(output);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, 'utf8'));
}

/** What differs from run to run gets a name: the same for the same thing. */
function normalise(output: string): string {
  const runs = new Map<string, string>();
  return (
    output
      // How the command was called: here, by Jest.
      .replaceAll(/node \S+jest\S*/g, 'agent-once')
      .replaceAll(/test-[0-9a-f-]{36}/g, '<namespace>')
      .replaceAll(UUID, (id) => {
        runs.set(id, runs.get(id) ?? `<run ${runs.size + 1}>`);
        return runs.get(id) ?? '';
      })
      .replaceAll(/\b[0-9a-f]{64}\b/g, '<hash>')
      .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+Z)?/g, '<time>')
      .replaceAll(/\b\d\d:\d\d:\d\d\b/g, '<clock>')
      .replaceAll(new RegExp(`\\d+@${hostname()}`, 'g'), '<process>')
      .replaceAll(new RegExp(`process \\d+ on ${hostname()}`, 'g'), '<process>')
      .replaceAll(/\b\d+(\.\d)? s\b/g, '<n> s')
      .replaceAll(/\b(\d+) min \d+ s\b/g, '<n> s')
      .replaceAll(/"(durationMs|leaseLeftMs)": -?[\d.]+/g, '"$1": "<ms>"')
  );
}
