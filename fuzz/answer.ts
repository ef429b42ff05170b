import type { Operation, Order, Surface } from './operations.ts';

/** What one call was told. */
export interface Answer {
  /** Number of the client process; 0: the opening. */
  process: number;
  surface: Surface;
  operation: Operation;
  key: string;
  /** `ok`; the code of an error; `none`: there was nothing to do; else what came in its place. */
  code: string;
  /** Of the HTTP service. */
  status?: number;
  /** The execution that a start named. */
  runId?: string;
  /** The start said that it made this execution. */
  made?: boolean;
  /** Of what should not be: what was said, cut. */
  text?: string;
}

/** What a surface says of an order; who sent it is added by the process. */
export type Told = Omit<Answer, 'process' | 'surface' | 'operation' | 'key'>;

export type Perform = (order: Order) => Promise<Told>;

const LONGEST_TEXT = 500;

export function cut(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)} …`;
}
