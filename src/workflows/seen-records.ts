import type { KnownCall, KnownRecords } from '../contract/run.ts';
import type { ToolStepInput } from '../contract/step.ts';

/** What the run, in whatever execution, has seen recorded in its ledger. */
export class SeenRecords {
  known: KnownRecords | undefined;

  constructor(known: KnownRecords | undefined) {
    this.known = known;
  }

  /** The ledger that holds it; nothing before the first answer. */
  get ledger(): { ledger?: string } {
    return this.known ? { ledger: this.known.ledger } : {};
  }

  hasTurn(turn: number): boolean {
    return this.known !== undefined && turn <= this.known.turn;
  }

  /** Of a turn that an earlier execution has seen, this one's answer says nothing new. */
  addTurn(turn: number, ledger: string | undefined): void {
    if (ledger !== undefined && !this.hasTurn(turn)) this.known = { ledger, turn };
  }

  /** What is known of a call before it is made. */
  ofCall(turn: number, index: number): Pick<ToolStepInput, 'recorded' | 'fence'> {
    if (this.known === undefined || turn > this.known.turn) return {};
    const call = turn < this.known.turn ? 'done' : this.known.calls?.[index];
    if (call === 'done') return { recorded: true };
    return call ?? {};
  }

  addCall({ turn, index }: Pick<ToolStepInput, 'turn' | 'index'>, call: KnownCall): void {
    if (this.known?.turn !== turn) return;
    this.known = { ...this.known, calls: { ...this.known.calls, [index]: call } };
  }
}
