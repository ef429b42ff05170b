import { createHash } from 'node:crypto';
import type { QuestionKind } from '../../contract/decision.ts';

/** What every notice says of its run. Times are ISO 8601. */
interface AboutRun {
  agent: string;
  tenant: string;
  /** As lists show it: with hashed keys, the hash. */
  key: string;
  /** The run's ID over HTTP: its workflow ID. */
  runId: string;
  /** Where a person answers or looks. */
  url: string;
}

/** A run waits for a person. */
export interface WaitingNotice {
  type: 'run.waiting';
  /** Names the notice: the same in every attempt, from every worker, after every reset. */
  id: string;
  /** When it happened. */
  timestamp: string;
  data: AboutRun & {
    /** The call that it is about: `t2.c0`. */
    step: string;
    kind: QuestionKind;
    tool: string;
    /** The call in one line, such as `300.00 EUR of order 1041`. */
    summary: string;
    /** When the question answers itself, and how. */
    deadline: string;
    otherwise: string;
  };
}

/** A run has failed. */
export interface FailedNotice {
  type: 'run.failed';
  id: string;
  timestamp: string;
  data: AboutRun & { error: { code: string; message: string } };
}

export type Notice = WaitingNotice | FailedNotice;

/**
 * A notice's ID, from what it is about: the scope, which resets, resumes and replays keep, and what
 * happened in it.
 */
export function noticeId(scope: string, ...what: (string | number)[]): string {
  const hash = createHash('sha256').update(JSON.stringify([scope, ...what]));
  return `msg_${hash.digest('hex').slice(0, 40)}`;
}
