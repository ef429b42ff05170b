import { expect } from '@jest/globals';
import type { Command } from './commands.ts';
import type { Seen } from './model.ts';

/** A command and its answer; `sent` and `answered` count what happened in the order in which it did. */
export interface Event {
  command: Command;
  seen: Seen;
  sent: number;
  answered: number;
}

/** What must be true of every history, however commands met. */
export function checkHistory(history: readonly Event[], end: Seen): void {
  const grants = history.flatMap(({ command, seen, ...times }) =>
    command.do === 'claim' && seen['state'] === 'claimed'
      ? [{ nonce: command.nonce, effect: command.effect, fence: Number(seen['fence']), ...times }]
      : [],
  );
  checkHolders(grants, end);
  checkResults(history, end);
  checkTakeovers(history, grants);
  checkDecisions(history, grants);
}

interface Grant {
  nonce: number;
  effect: string;
  fence: number;
  sent: number;
  answered: number;
}

/** One holder of each fence, and fences increase. */
function checkHolders(grants: readonly Grant[], end: Seen): void {
  const holders = new Map<number, Set<number>>();
  for (const { fence, nonce } of grants) {
    holders.set(fence, (holders.get(fence) ?? new Set()).add(nonce));
  }
  const fences = [...holders.keys()].sort((a, b) => a - b);
  expect(fences).toEqual(fences.map((_, i) => i + 1));
  expect([...holders.values()].filter((nonces) => nonces.size > 1)).toEqual([]);
  expect(end['fence'] ?? 0).toBe(fences.length);
  expect(end['attempts'] ?? 0).toBe(fences.length);
  for (const before of grants) {
    const lower = grants.filter(
      ({ sent, fence }) => sent > before.answered && fence < before.fence,
    );
    expect(lower).toEqual([]);
  }
}

/** A completed step has one result, for ever; at most one attempt, or a person, brought it. */
function checkResults(history: readonly Event[], end: Seen): void {
  const results = history.flatMap(({ seen }) =>
    seen['state'] === 'completed' ? [seen['result']] : [],
  );
  for (const result of results) {
    expect(end['state']).toBe('completed');
    expect(result).toEqual(end['result']);
  }
  const winners = new Set(
    history.flatMap(({ command, seen }) => {
      if (command.do === 'complete' && seen['recorded'] !== 'lost') return [String(command.fence)];
      const byPerson = command.do === 'decide' && command.decision === 'happened';
      return byPerson && seen['outcome'] === 'recorded' ? ['person'] : [];
    }),
  );
  expect(winners.size).toBe(end['state'] === 'completed' ? 1 : 0);
}

/**
 * A next attempt follows only a lease that is over or the word that the one before had no effect;
 * one at most once, only that word.
 */
function checkTakeovers(history: readonly Event[], grants: readonly Grant[]): void {
  for (const { fence, answered } of grants.filter(({ fence: each }) => each > 1)) {
    const before = fence - 1;
    const atMostOnce = grants.every(
      (grant) => grant.fence !== before || grant.effect === 'at-most-once',
    );
    const excused = history.some(({ command, seen, sent }) => {
      if (sent > answered) return false;
      switch (command.do) {
        case 'claim':
          return !atMostOnce && command.lease === 'over' && seen['fence'] === before;
        case 'renew':
          return !atMostOnce && command.lease === 'over' && command.fence === before;
        case 'fail':
          return command.fence === before && seen['ok'] === true;
        case 'decide':
          return command.decision === 'did-not-happen' && seen['outcome'] === 'recorded';
        default:
          return false;
      }
    });
    expect({ fence, excused }).toEqual({ fence, excused: true });
  }
}

/** Once a person has said how an attempt ended, no renewal tells it to go on. */
function checkDecisions(history: readonly Event[], grants: readonly Grant[]): void {
  for (const { command, seen, ...decided } of history) {
    if (command.do !== 'decide' || seen['outcome'] !== 'recorded') continue;
    const { decision } = command;
    if (decision !== 'happened' && decision !== 'did-not-happen') continue;
    const goneOn = history.filter(
      (later) =>
        later.command.do === 'renew' && later.seen['ok'] === true && later.sent > decided.answered,
    );
    const allowed = goneOn.filter(({ command: renewal }) => {
      const before = grants.filter(({ answered }) => answered < decided.sent);
      // Only attempts that began after the word that nothing happened.
      return (
        decision === 'did-not-happen' &&
        renewal.do === 'renew' &&
        before.every(({ fence }) => fence < renewal.fence)
      );
    });
    expect(goneOn).toEqual(allowed);
  }
}
