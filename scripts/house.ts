/**
 * The figures of the house, and whether each is kept: a part of `npm run check`. They say how much
 * a person has to own who copies this.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { countLines } from '../src/extras/template/generate/count-lines.ts';
import { planCopy } from '../src/extras/template/generate/plan-copy.ts';
import { importCircles, isTest, readImportGraph } from './import-graph.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface Figure {
  name: string;
  value: number;
  /** More than this is refused. */
  most: number;
  /** Where it is to come to; absent: it is there. */
  goal?: number;
}

/** Files of folders, and of single files, with their lines, comments included. */
function linesOf(...places: string[]): Map<string, number> {
  const files = places.flatMap((place) => {
    const full = path.join(ROOT, place);
    if (!fs.statSync(full).isDirectory()) return [place];
    return fs
      .readdirSync(full, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(ROOT, path.join(entry.parentPath, entry.name)));
  });
  return new Map(
    files
      .filter((file) => !isTest(file))
      .map((file) => [file, fs.readFileSync(path.join(ROOT, file), 'utf8').split('\n').length - 1]),
  );
}

function sum(lines: ReadonlyMap<string, number>): number {
  return [...lines.values()].reduce((total, each) => total + each, 0);
}

const ENGINE = fs
  .readdirSync(path.join(ROOT, 'src'))
  .filter((name) => name !== 'app' && name !== 'extras')
  .map((name) => `src/${name}`);

/** The files that `docs/tour.md` walks through: its numbered headings. */
function tourFiles(): string[] {
  const text = fs.readFileSync(path.join(ROOT, 'docs/tour.md'), 'utf8');
  return [...text.matchAll(/^## \d+\. `([^`]+)`$/gm)].map(([, file = '']) => file);
}

/** Files that the tour names besides. */
function namedByTheWay(): string[] {
  const text = fs.readFileSync(path.join(ROOT, 'docs/tour.md'), 'utf8');
  const named = [...text.matchAll(/`(src\/[\w./-]+\.ts)`/g)].map(([, file = '']) => file);
  return named.filter((file) => !tourFiles().includes(file));
}

const engine = linesOf(...ENGINE);
const tour = tourFiles();
const graph = readImportGraph(ROOT, [
  'src',
  'test',
  'bench',
  'chaos',
  'fuzz',
  'pictures',
  'prod-like',
  'examples',
]);
/** What the program imports of the app shows that it has machinery in it. */
const intoApp = [...graph].filter(
  ([file, { files }]) =>
    /^src\/(?!app\/|main\.ts)/.test(file) &&
    !isTest(file) &&
    files.some((to) => to.startsWith('src/app/')),
);
/** Lines of source of a copy by `agent-once new`, without its tests and pages. */
async function copied(...extras: string[]): Promise<number> {
  const plan = await planCopy(ROOT, { name: 'copy', example: false, extras });
  return countLines(plan).source;
}

const figures: Figure[] = [
  { name: 'lines of the engine', value: sum(engine), most: 22_150, goal: 14_000 },
  { name: 'lines of its largest file', value: Math.max(...engine.values()), most: 250 },
  { name: 'lines of a default copy', value: await copied('default'), most: 29_950, goal: 20_000 },
  {
    name: 'lines of a copy without extras',
    value: await copied('none'),
    most: 25_900,
    goal: 17_500,
  },
  { name: 'files of the tour', value: tour.length, most: 10 },
  { name: 'files that the tour names besides', value: namedByTheWay().length, most: 0 },
  { name: 'lines of the tour', value: sum(linesOf(...tour)), most: 1_500 },
  { name: 'files that import the app', value: intoApp.length, most: 0 },
  {
    name: 'circles of imports',
    value: importCircles(graph).length,
    most: 0,
  },
];

for (const { name, value, most, goal } of figures) {
  const kept = value <= most;
  const limit = `at most ${most}${goal === undefined ? '' : `, to become ${goal}`}`;
  console.log(`   ${kept ? '✓' : '✗'} ${name.padEnd(36)} ${String(value).padStart(7)}   ${limit}`);
  if (!kept) process.exitCode = 1;
}
