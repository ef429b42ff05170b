import { expect, test } from '@jest/globals';
import { nameFault, parseFault, planFaults } from '../faults.ts';
import { createRandom } from '../random.ts';
import { FAULT_POINTS } from '../../src/activities/faults.ts';

const TOOLS = ['look', 'charge', 'note', 'book', 'send'];
const plan = (kills: number, seed: number) =>
  planFaults(kills, TOOLS, createRandom(seed)).map(nameFault);

test('the same seed plans the same faults, another one others', () => {
  expect(plan(40, 7)).toEqual(plan(40, 7));
  expect(plan(40, 8)).not.toEqual(plan(40, 7));
});

test('as many workers are killed as was asked for, and both servers restarted', () => {
  const kinds = (kills: number) => plan(kills, 1).map((name) => name.split(':')[0] ?? '');
  const killed = (kills: number) =>
    kinds(kills).filter((kind) => kind === 'kill' || FAULT_POINTS.some((point) => point === kind));
  for (const kills of [1, 8, 100]) {
    expect(killed(kills)).toHaveLength(kills);
    expect(plan(kills, 1)).toEqual(
      expect.arrayContaining(['restart:postgres', 'restart:temporal']),
    );
    for (const kind of ['zombie', 'overlap', 'cut', 'silence', 'delay'])
      expect(kinds(kills)).toContain(kind);
  }
  expect(plan(0, 1)).toEqual([]);
});

test('a hundred kills meet every fault point of every tool, and of the model', () => {
  const points = FAULT_POINTS.flatMap((point) => [...TOOLS, 'model'].map((of) => `${point}:${of}`));
  expect(plan(100, 3)).toEqual(expect.arrayContaining(points));
});

test('a fault is read as it is written', () => {
  for (const name of [
    'kill',
    'after-effect:charge',
    'zombie:note',
    'overlap:note',
    'cut:temporal',
  ]) {
    expect(nameFault(parseFault(name))).toBe(name);
  }
  for (const name of ['', 'kil', 'after-effect', 'cut:shop', 'zombie:', 'postgres:restart']) {
    expect(() => parseFault(name)).toThrow(RangeError);
  }
});
