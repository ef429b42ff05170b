import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { barsOf } from '../pictures/bars.ts';
import { draw } from '../pictures/draw.ts';
import { writePictures } from '../pictures/write-pictures.ts';
import type { Report } from '../report.ts';
import { rowOf, type Row } from '../row.ts';

const row = (modelMs: number | null, what: string, unit: string, ours: number[], plain: number[]) =>
  rowOf(modelMs, what, unit, { ours, plain });

const TIMES: Row[] = [
  row(300, 'time per run, fast lane', 'ms', [100, 90, 130], [200, 180, 220]),
  row(300, 'time per run, standard lane', 'ms', [210, 205, 300], [200, 180, 220]),
];

test('the bars of a figure in either lane stand together, as long as they are to the plain one', () => {
  const figure = 'time per run; model 300 ms, ms';
  expect(barsOf(TIMES)).toEqual([
    { figure, who: 'fast lane', length: 0.5, low: 0.45, high: 0.65, text: '100' },
    { figure, who: 'standard lane', length: 1.05, low: 1.025, high: 1.5, text: '210' },
    { figure, who: 'plain', length: 1, low: 0.9, high: 1.1, text: '200' },
  ]);
});

test('what has no lane is ours, and what the plain workflow has none of is not compared', () => {
  const rows = [
    row(null, 'a duplicate', 'ms', [9.123], [9]),
    row(0, 'ledger, commits', '1/run', [16], [0]),
  ];
  expect(barsOf(rows, 'bare route').map(({ who, text }) => [who, text])).toEqual([
    ['ours', '9.12'],
    ['bare route', '9'],
  ]);
});

test('a picture has its text as text, and a background of its own for light and for dark', () => {
  const svg = draw('Runs', barsOf(TIMES));
  expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  for (const text of ['Runs', 'fast lane', 'plain', '210', 'time per run; model 300 ms, ms']) {
    expect(svg).toMatch(new RegExp(`<text[^>]*>${text}</text>`));
  }
  expect(svg).toContain('prefers-color-scheme: dark');
  expect(svg.match(/background: #/g)).toHaveLength(2);
});

test('a picture is written for each part that was measured, and for no other', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'bench-pictures-'));
  try {
    const report = { rows: TIMES, http: null, counts: null, waiting: null } as Partial<Report>;
    // As it comes from a file.
    const read = JSON.parse(JSON.stringify(report)) as Report;
    expect(await writePictures(read, folder)).toEqual([path.join(folder, 'runs.svg')]);
    expect(await readdir(folder)).toEqual(['runs.svg']);
    const svg = await readFile(path.join(folder, 'runs.svg'), 'utf8');
    expect(svg).toContain('standard lane');
  } finally {
    await rm(folder, { recursive: true });
  }
});
