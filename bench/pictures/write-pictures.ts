import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Report } from '../report.ts';
import type { Row } from '../row.ts';
import { barsOf, type Compared } from './bars.ts';
import { draw } from './draw.ts';

/** A picture for each part, of the rows that tell most. */
const PICTURES: readonly {
  name: string;
  title: string;
  rows: (report: Report) => readonly Row[];
  keep: RegExp;
  compared?: Compared;
}[] = [
  {
    name: 'runs',
    title: 'A run: 4 model calls and 4 tool calls',
    rows: ({ rows }) => rows,
    keep: /^(?:time per run|runs per second|a duplicate|one by)/,
  },
  {
    name: 'http',
    title: 'A request to the HTTP service',
    rows: ({ http }) => http?.rows ?? [],
    keep: /./,
    compared: 'bare route',
  },
  {
    name: 'counts',
    title: 'What a run writes and asks',
    rows: ({ counts }) => counts ?? [],
    keep: /^(?:actions on Temporal Cloud|history|requests to Temporal|Record)/,
  },
  {
    name: 'waiting',
    title: 'Runs that wait for a model',
    rows: ({ waiting }) => waiting?.rows ?? [],
    keep: /all done after|CPU of the worker|CPU of Temporal and PostgreSQL|RecordActivityTaskHeartbeat/,
  },
];

/**
 * Writes an SVG for each part that was measured, and leaves the others' as they are.
 *
 * @param report as `--json` prints it
 * @returns the files
 */
export async function writePictures(report: Report, folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const files: string[] = [];
  for (const { name, title, rows, keep, compared } of PICTURES) {
    const bars = barsOf(
      rows(report).filter(({ what }) => keep.test(what)),
      compared,
    );
    if (bars.length === 0) continue;
    const file = path.join(folder, `${name}.svg`);
    await writeFile(file, draw(title, bars, compared));
    files.push(file);
  }
  return files;
}
