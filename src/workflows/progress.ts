import {
  metricMeter,
  setCurrentDetails,
  upsertMemo,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { defined } from '../contract/defined.ts';
import type { OpenQuestion, WaitingMemo } from '../contract/decision.ts';
import type {
  AgentRunInput,
  Carried,
  RunFailureDetails,
  RunState,
  RunStatus,
  Usage,
} from '../contract/run.ts';
import type { AgentSettings } from '../contract/settings.ts';
import {
  addUsage,
  type ModelStepResult,
  type ShadowEffect,
  type StepUsage,
  type ToolStepDone,
} from '../contract/step.ts';
import { drawDetails, drawTokens, ROWS_SHOWN, type StepRow } from './details.ts';
import { SeenRecords } from './seen-records.ts';
import type { RunNames } from './waiting-details.ts';
import { waitingMemo } from './waiting-memo.ts';

/** Effects of a shadow run that its result shows with their arguments, of 2 KB each at most. */
const ARGUMENTS_SHOWN = 100;

/** What a person can see of a run: the `state` query, current details, search attributes, memo. */
export class Progress {
  usage: Usage;
  readonly seen: SeenRecords;
  #status: RunStatus = 'running';
  #waiting: OpenQuestion[] = [];
  /** What the memo says of it. */
  #told: Required<WaitingMemo> = { waiting: null, waitingMore: null };
  #turn: number;
  #maxTurns: number | null;
  readonly #limit: number | undefined;
  #rows: StepRow[] = [];
  /** `undefined`: of a real run. */
  #shadow: ShadowEffect[] | undefined;
  readonly #searchAttributes: boolean;
  readonly #run: RunNames;

  constructor(from: Omit<Carried, 'lastDigest'>, input: AgentRunInput) {
    this.usage = from.usage;
    this.seen = new SeenRecords(from.known);
    this.#shadow = from.shadow ?? (input.options?.shadow ? [] : undefined);
    this.#turn = from.turn;
    this.#limit = input.limits?.maxTurns;
    this.#maxTurns = this.#limit ?? input.settings?.maxTurns ?? null;
    this.#searchAttributes = input.searchAttributes;
    this.#run = { tenant: input.tenant, agent: input.agent, key: input.key };
  }

  state(): RunState {
    return {
      status: this.#status,
      turn: this.#turn,
      maxTurns: this.#maxTurns,
      active: this.#rows
        .filter(isActive)
        .map(({ step, activity, summary }) => ({ step, activity, summary })),
      waiting: this.#waiting,
      usage: this.usage,
    };
  }

  beginTurn(turn: number): void {
    this.#turn = turn;
    this.usage = { ...this.usage, turns: turn };
  }

  /** Shows a step while it runs. */
  begin(step: string, activity: string, summary: string): StepRow {
    const row: StepRow = { step, activity, summary, state: 'running' };
    this.#rows.push(row);
    this.#forgetRows();
    this.#draw();
    return row;
  }

  /** Keeps the last ones, and all that are not over: a turn may have more of these. */
  #forgetRows(): void {
    const over = Math.max(0, this.#rows.length - ROWS_SHOWN);
    const left = this.#rows.filter((row) => !isActive(row)).slice(0, over);
    this.#rows = this.#rows.filter((row) => !left.includes(row));
  }

  modelAnswered(row: StepRow, answer: ModelStepResult, settings: AgentSettings | undefined): void {
    this.#maxTurns = this.#limit ?? settings?.maxTurns ?? this.#maxTurns;
    this.usage = { ...this.usage, modelCalls: this.usage.modelCalls + 1 };
    this.spend(answer.usage);
    this.seen.addTurn(this.#turn, answer.ledger);
    row.state = 'done';
    row.note = noteOf(answer);
    // Drawn with what follows in the same task: its calls, the next turn, or the end.
  }

  /** Adds what a step used, whether it ended well or not. */
  spend(usage: StepUsage): void {
    this.usage = { ...this.usage, ...addUsage(this.usage, usage) };
  }

  toolAnswered(row: StepRow, { shadow }: ToolStepDone): void {
    this.usage = { ...this.usage, toolCalls: this.usage.toolCalls + 1 };
    if (shadow) this.#pretended(shadow);
    this.#end(row, 'done', shadow && 'shadow: not executed');
  }

  /** Shows a call with the arguments that a person has given it. */
  changed(row: StepRow, summary: string): void {
    row.summary = summary;
    this.#draw();
  }

  failed(row: StepRow): void {
    this.#end(row, 'failed');
  }

  #end(row: StepRow, state: 'done' | 'failed', note?: string): void {
    row.state = state;
    if (note !== undefined) row.note = note;
    this.#draw();
  }

  /** No step is under way any more: the run ends badly. */
  stopped(): void {
    for (const row of this.#rows) if (row.state === 'running') row.state = 'failed';
    this.#draw();
  }

  /**
   * What the run has used, what it only pretended, and what it knows to be recorded: for its end,
   * and for its next execution.
   */
  report(): RunFailureDetails {
    return { usage: this.usage, ...defined({ shadow: this.#shadow, known: this.seen.known }) };
  }

  /** Keeps the model's order, whatever was done first; and not all arguments of a very long run. */
  #pretended(effect: ShadowEffect): void {
    const { arguments: _left, ...short } = effect;
    const before = this.#shadow ?? [];
    const kept = before.length < ARGUMENTS_SHOWN ? effect : short;
    this.#shadow = [...before, kept].sort((a, b) => inOrder(a.step, b.step));
  }

  /** Shows what the run asks people; nothing: it goes on. */
  ask(open: OpenQuestion[]): void {
    const status = open.length > 0 ? 'waiting' : 'running';
    const changed = status !== this.#status;
    this.#waiting = open;
    this.#status = status;
    for (const row of this.#rows) {
      const question = open.find(({ step }) => step === row.step);
      if (row.state === 'waiting' && !question) {
        row.state = 'running';
        delete row.note;
      }
      if (question) {
        row.state = 'waiting';
        row.note = `waits for ${question.kind === 'approval' ? 'approval, has not run' : 'a person: outcome unknown'}`;
      }
    }
    this.#draw();
    this.#tell();
    if (changed) this.#setAttributes([statusAttribute(status)]);
  }

  /**
   * Also without search attributes, and without a worker that could answer a query. At each change,
   * and not at the end of a task: where the task's end is, a replay may see otherwise. Only what has
   * changed: forty calls may begin to wait in one task, whose answer the server limits.
   */
  #tell(): void {
    const now = waitingMemo(this.#waiting);
    const { waiting, waitingMore } = this.#told;
    this.#told = now;
    const same = JSON.stringify(now.waiting) === JSON.stringify(waiting);
    upsertMemo({
      ...(same ? {} : { waiting: now.waiting }),
      ...(now.waitingMore === waitingMore ? {} : { waitingMore: now.waitingMore }),
    });
  }

  end(status: 'completed' | 'failed' | 'cancelled', code = ''): void {
    this.#status = status;
    // Where nothing measures the worker, it goes nowhere. Not counted anew in a replay.
    const ended = metricMeter.createCounter('agent_once_runs', undefined, 'Runs that ended');
    ended.add(1, { agent: this.#run.agent, outcome: status, code });
    this.#draw();
    this.#setAttributes([
      statusAttribute(status),
      { key: { name: 'AgentCostUsd', type: 'DOUBLE' }, value: this.usage.costUsd },
    ]);
    // A result and a failure carry this; a cancellation has no place for it.
    if (status === 'cancelled') {
      upsertMemo({ usage: this.usage, ...defined({ known: this.seen.known }) });
    }
  }

  #setAttributes(attributes: Parameters<typeof upsertSearchAttributes>[0]): void {
    if (this.#searchAttributes) upsertSearchAttributes(attributes);
  }

  #draw(): void {
    setCurrentDetails(drawDetails(this.state(), this.#rows, this.#run));
  }
}

function statusAttribute(value: RunStatus) {
  return { key: { name: 'AgentStatus', type: 'KEYWORD' as const }, value };
}

function isActive({ state }: StepRow): boolean {
  return state === 'running' || state === 'waiting';
}

function noteOf(answer: ModelStepResult): string {
  const notes = [drawTokens(answer.usage)];
  if (answer.knownBy === 'ledger') notes.push('from the ledger');
  if (answer.sharedWith !== undefined) notes.push('shared with another run');
  if (answer.refused > 0) notes.push(`${answer.refused} calls refused`);
  if (answer.possiblyPaid > 0) notes.push('possibly paid twice');
  return notes.join(', ');
}

/** `t2.c9` before `t2.c10`. */
function inOrder(a: string, b: string): number {
  const [turn = 0, index = 0] = numbersOf(a);
  const [otherTurn = 0, otherIndex = 0] = numbersOf(b);
  return turn - otherTurn || index - otherIndex;
}

function numbersOf(step: string): number[] {
  return [...step.matchAll(/\d+/g)].map(Number);
}
