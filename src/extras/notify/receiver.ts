import type { Notice } from './notice.ts';

/** Takes one notice, or throws. It may be given the same one again, under the same ID. */
export type Send = (notice: Notice, signal: AbortSignal) => Promise<void>;

/** Somebody who is told. */
export interface Receiver {
  /** In the ledger, the name of who was told: another name is another receiver. */
  name: string;
  /**
   * Reads the settings, before the worker takes work.
   *
   * @returns `undefined`: it is not set up, and nobody is told
   * @throws {AgentOnceError} `config.invalid`
   */
  open(env?: NodeJS.ProcessEnv): Promise<Send | undefined>;
}

/** A receiver did not take a notice. The message names no secret. */
export class NotTakenError extends Error {
  /** When it wants to be asked again, in milliseconds; absent: it did not say. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, retryAfterMs?: number) {
    super(message);
    this.name = 'NotTakenError';
    this.retryAfterMs = retryAfterMs;
  }
}
