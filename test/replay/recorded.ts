import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A history as it is kept: proto3 JSON, which Temporal's own tools read and write too. */
export interface RecordedHistory {
  events: RecordedEvent[];
}

/** One event; its attributes are in the one member that its kind has. */
export interface RecordedEvent {
  eventId: string;
  eventType: string;
  [member: string]: unknown;
}

/**
 * Every version of the workflow code whose runs were recorded, oldest first. The name of its folder
 * in `histories`.
 */
export const VERSIONS: readonly string[] = ['0.1.0', '0.2.0', '0.3.0'];

/** What is recorded, and since which version. */
export const KINDS = [
  { kind: 'completed', since: '0.1.0', holds: 'a run that completed after two turns with tools' },
  {
    kind: 'refused-calls',
    since: '0.1.0',
    holds: 'a completed run whose model made calls that were refused, and identical ones',
  },
  {
    kind: 'repaired',
    since: '0.1.0',
    holds: 'a completed run whose model was asked once more for an output that did not fit',
  },
  { kind: 'working', since: '0.1.0', holds: 'a run that waits for a tool' },
  {
    kind: 'failed-out-of-quota',
    since: '0.1.0',
    holds: 'a run that failed at its first model call',
  },
  { kind: 'failed-turn-limit', since: '0.1.0', holds: 'a run that failed at its turn limit' },
  { kind: 'failed-tool', since: '0.1.0', holds: 'a run that failed at a tool' },
  { kind: 'resumed', since: '0.1.0', holds: 'the execution that resumed a failed run' },
  { kind: 'cancelled', since: '0.1.0', holds: 'a run that was cancelled while a tool worked' },
  { kind: 'cancelled-waiting', since: '0.1.0', holds: 'a run that was cancelled at a question' },
  { kind: 'waiting-approval', since: '0.1.0', holds: 'a run that waits for an approval' },
  { kind: 'approved', since: '0.1.0', holds: 'a completed run with an approved call' },
  { kind: 'denied', since: '0.1.0', holds: 'a completed run with a denied call' },
  {
    kind: 'denied-by-deadline',
    since: '0.1.0',
    holds: 'a completed run with a call that the deadline denied',
  },
  {
    kind: 'outcome-happened',
    since: '0.1.0',
    holds: 'a completed run with an unknown outcome of which a person said that it happened',
  },
  {
    kind: 'outcome-did-not-happen',
    since: '0.1.0',
    holds: 'a completed run with an unknown outcome of which a person said that it did not happen',
  },
  {
    kind: 'outcome-settled',
    since: '0.1.0',
    holds: 'a completed run with an unknown outcome that its late attempt settled',
  },
  { kind: 'two-questions', since: '0.1.0', holds: 'a completed run that asked twice in one turn' },
  { kind: 'shadow', since: '0.1.0', holds: 'a shadow run' },
  {
    kind: 'without-registry',
    since: '0.1.0',
    holds: 'a run that got its settings with the first model call',
  },
  { kind: 'reset', since: '0.1.0', holds: 'the execution that a reset made' },
  { kind: 'continued-first', since: '0.1.0', holds: 'an execution that continued as new' },
  { kind: 'continued-last', since: '0.1.0', holds: 'the execution that it continued as' },
  {
    kind: 'new-after-forgotten',
    since: '0.1.0',
    holds: 'a run under a key whose run before was forgotten',
  },
  { kind: 'fast-lane', since: '0.1.0', holds: 'a completed run with calls in the fast lane' },
  {
    kind: 'fast-lane-left',
    since: '0.1.0',
    holds: 'a completed run with a call that left the fast lane, since its worker lacked the tool',
  },
  { kind: 'ledger-cleanup', since: '0.1.0', holds: 'a cleaning of the ledger' },
  { kind: 'cleanup-continued-first', since: '0.1.0', holds: 'a cleaning that continued as new' },
  { kind: 'cleanup-continued-last', since: '0.1.0', holds: 'the cleaning that it continued as' },
  { kind: 'fell-back', since: '0.2.0', holds: 'a completed run whose model fell back to another' },
  {
    kind: 'resumed-with-limits',
    since: '0.2.0',
    holds: 'the execution that resumed a failed run with another model and more turns',
  },
  {
    kind: 'all-fast',
    since: '0.2.0',
    holds: 'a completed run with its model calls and tools in the fast lane',
  },
  {
    kind: 'failed-by-answer',
    since: '0.2.0',
    holds: 'a run that a person ended instead of approving a call',
  },
  {
    kind: 'failed-by-deadline',
    since: '0.2.0',
    holds: 'a run that failed since nobody said in time whether a call had happened',
  },
  {
    kind: 'asked-continued-first',
    since: '0.2.0',
    holds: 'an execution with a question in its last turn, that continued as new',
  },
  {
    kind: 'asked-continued-last',
    since: '0.2.0',
    holds: 'the execution that it continued as, with a late answer to that question',
  },
  {
    kind: 'pinned-first',
    since: '0.2.0',
    holds: 'an execution on a version of the workers, that continued as new',
  },
  {
    kind: 'pinned-last',
    since: '0.2.0',
    holds: 'the execution that it continued as, on the next version',
  },
  {
    kind: 'approved-edited',
    since: '0.3.0',
    holds: 'a completed run with a call that was approved with other arguments',
  },
  { kind: 'own-workflow', since: '0.2.0', holds: "a workflow of an app's own, with a child" },
] as const;

export type Kind = (typeof KINDS)[number]['kind'];

export const HISTORIES = path.join(import.meta.dirname, 'histories');

function historyFile(version: string, kind: string): string {
  return path.join(HISTORIES, version, `${kind}.json`);
}

/** What the folder of a version has to hold: the kinds that were known when it was recorded. */
export function kindsOf(version: string): (typeof KINDS)[number][] {
  const position = VERSIONS.indexOf(version);
  return KINDS.filter(({ since }) => VERSIONS.indexOf(since) <= position);
}

/** What it does hold: the names of its files, without their extension. */
export function kindsFound(version: string): string[] {
  return readdirSync(path.join(HISTORIES, version)).map((file) => path.basename(file, '.json'));
}

export function readHistory(version: string, kind: string): RecordedHistory {
  return JSON.parse(readFileSync(historyFile(version, kind), 'utf8')) as RecordedHistory;
}
