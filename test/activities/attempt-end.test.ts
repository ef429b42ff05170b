import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { endOf, type End, type Attempt } from '../../src/activities/step/attempt-end.ts';
import { EFFECTS } from '../../src/contract/step.ts';

const THROWN = [
  'not-applied',
  'unusable-answer',
  'pending',
  'refused',
  'own-trouble',
  'other',
] as const;
const HALTED = ['cancelled', 'stopped', 'let-go', 'no'] as const;
const EITHER = [true, false];

const ALL: Attempt[] = [null, ...EFFECTS].flatMap((effect) =>
  THROWN.flatMap((thrown) =>
    HALTED.flatMap((halted) =>
      EITHER.flatMap((begun) =>
        EITHER.flatMap((again) =>
          EITHER.map((suspected) => ({ effect, thrown, halted, begun, again, suspected })),
        ),
      ),
    ),
  ),
);

/** Attempts that break a rule: none may. */
function breaking(rule: (attempt: Attempt, end: End) => boolean): Attempt[] {
  return ALL.filter((attempt) => !rule(attempt, endOf(attempt)));
}

/** A rule about those attempts whose end is written as failed. */
const ifFailed =
  (rule: (attempt: Attempt, written: End['written'] & { as: 'failed' }) => boolean) =>
  (attempt: Attempt, { written }: End) =>
    written.as !== 'failed' || rule(attempt, written);

const isTrouble = ({ thrown }: Attempt) =>
  thrown === 'own-trouble' || thrown === 'refused' || thrown === 'pending';

test.each<[string, (attempt: Attempt, end: End) => boolean]>([
  [
    'an at-most-once effect that had begun is never released as failed, but on the word that nothing happened',
    ({ effect, begun, thrown }, { written }) =>
      (written.as === 'outcome-unknown') ===
      (effect === 'at-most-once' && begun && thrown !== 'not-applied'),
  ],
  [
    'an unknown outcome is asked about at once, unless the attempt was ended from outside',
    ({ halted, thrown: what }, { written, thrown }) =>
      written.as === 'failed' ||
      (halted !== 'no' && what !== 'unusable-answer') ||
      halted === 'cancelled' ||
      (thrown.as === 'thrown' && thrown.retryable && thrown.wait === 'none'),
  ],
  [
    'the run is told of every attempt that may have acted',
    ({ begun, thrown }, end) => end.mayHaveActed === (begun && thrown !== 'not-applied'),
  ],
  [
    'a cancelled run stays cancelled',
    ({ halted }, { thrown }) => (halted === 'cancelled') === (thrown.as === 'cancelled'),
  ],
  [
    'a cancelled attempt is used up',
    ifFailed(({ halted }, { counted }) => halted !== 'cancelled' || counted),
  ],
  [
    'a worker that the ledger refuses, and a ledger that is away, use up no attempt',
    ifFailed((attempt, { counted }) => !(isTrouble(attempt) && attempt.halted === 'no' && counted)),
  ],
  [
    'nothing else is free: what the work threw uses up an attempt',
    ifFailed((attempt, { counted, error }) => error !== 'thrown' || isTrouble(attempt) || counted),
  ],
  [
    'an answer that is still made is told as that, and uses up nothing, but where the run is cancelled',
    ifFailed(
      ({ thrown, halted, suspected }, { error, counted }) =>
        thrown !== 'pending' ||
        halted === 'cancelled' ||
        (error === 'thrown' && counted === (suspected && halted !== 'no')),
    ),
  ],
  [
    'an interruption is free, unless code of this worker is suspected to never end otherwise',
    ifFailed(
      ({ suspected }, { error, counted }) => error !== 'interrupted' || counted === suspected,
    ),
  ],
  [
    'an answer that was paid for reaches the ledger, also where the run is cancelled',
    ifFailed(
      ({ thrown }, { error, counted, ask }) =>
        thrown !== 'unusable-answer' || (error === 'thrown' && counted && ask === 'until-accepted'),
    ),
  ],
  [
    'the word that nothing happened reaches the ledger',
    ifFailed(
      ({ thrown, begun, halted }, { ask }) =>
        thrown !== 'not-applied' || !begun || halted !== 'no' || ask !== 'once',
    ),
  ],
  [
    'trouble of our own is never the end of a run',
    (attempt, { thrown }) => !isTrouble(attempt) || thrown.as !== 'thrown' || thrown.retryable,
  ],
  [
    'a run fails only where its policy, or what was thrown, allows no other attempt',
    ({ again }, { thrown }) => thrown.as !== 'thrown' || thrown.retryable || !again,
  ],
])('%s', (_title, rule) => {
  expect(breaking(rule)).toEqual([]);
});

test('the table is pure: it imports types only', () => {
  const source = readFileSync('src/activities/step/attempt-end.ts', 'utf8');
  const imports = source.match(/^import .*$/gm) ?? [];
  expect(imports.filter((line) => !line.startsWith('import type '))).toEqual([]);
  expect(source).not.toMatch(/\bimport\(|\brequire\(/);
});

/** The rows of a table of `docs/architecture.md`, by the heads of its columns. */
function documented(firstHead: string): Record<string, string>[] {
  const [, text = ''] = readFileSync('docs/architecture.md', 'utf8').split(
    '## An attempt that throws',
  );
  const lines = text.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  const from = lines.findIndex((cells) => cells.includes(firstHead));
  const heads = lines[from] ?? [];
  const rows = lines.slice(from + 2);
  return rows
    .slice(
      0,
      rows.findIndex((cells) => cells.length < heads.length),
    )
    .map((cells) => Object.fromEntries(heads.map((head, at) => [head, cells[at] ?? ''])));
}

/** Whether a value is one of those that a cell names: `any`, `all but a`, `a, b`. */
function covers(cell = 'any', value: string): boolean {
  if (cell === 'any') return true;
  const named = cell
    .replace(/^all but /, '')
    .replaceAll('`', '')
    .split(', ');
  return named.includes(value) !== cell.startsWith('all but ');
}

const yes = (value: boolean) => (value ? 'yes' : 'no');

/** The first row that is about an attempt. */
function rowOf(rows: Record<string, string>[], attempt: Attempt) {
  return rows.find(
    (row) =>
      covers(row['halted'], attempt.halted) &&
      covers(row['effect'], attempt.effect ?? 'model call') &&
      covers(row['begun'], yes(attempt.begun)) &&
      covers(row['thrown'], attempt.thrown),
  );
}

const cellIs = (cell: string | undefined, value: boolean, facts: Record<string, boolean>) =>
  cell === yes(value) || facts[cell ?? ''] === value;

test('docs/architecture.md says what is written', () => {
  const rows = documented('written');
  const used = new Set<unknown>();
  for (const attempt of ALL) {
    const row = rowOf(rows, attempt);
    used.add(row);
    const { written } = endOf(attempt);
    if (written.as === 'outcome-unknown') {
      expect([attempt, row?.['written']]).toEqual([attempt, 'outcome unknown']);
      continue;
    }
    const facts = { 'if suspected': attempt.suspected };
    const { error, counted, ask } = written;
    const said = [row?.['written'], row?.['asked'], cellIs(row?.['used up'], counted, facts)];
    const is = [`failed: \`${error}\``, ask.replaceAll('-', ' '), true];
    expect([attempt, ...said]).toEqual([attempt, ...is]);
  }
  expect(rows.filter((row) => !used.has(row))).toEqual([]);
});

test('docs/architecture.md says what leaves the activity', () => {
  const rows = documented('leaves the activity');
  const used = new Set<unknown>();
  for (const attempt of ALL) {
    const row = rowOf(rows, attempt);
    used.add(row);
    const { thrown } = endOf(attempt);
    expect([attempt, row?.['leaves the activity']]).toEqual([attempt, `\`${thrown.as}\``]);
    if (thrown.as !== 'thrown') continue;
    const facts = { 'if again': attempt.again };
    const said = [row?.['wait'], cellIs(row?.['retryable'], thrown.retryable, facts)];
    expect([attempt, ...said]).toEqual([attempt, thrown.wait.replaceAll('-', ' '), true]);
  }
  expect(rows.filter((row) => !used.has(row))).toEqual([]);
});
