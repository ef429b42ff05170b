import { THE_DEADLINE } from '../../contract/decision.ts';
import type { ExplainedStep, Explanation } from './explanation.ts';
import type { coloursOf } from '../../cli/output.ts';
import { printable } from '../../cli/output.ts';
import { drawDuration } from '../../cli/show-run.ts';

type Colours = ReturnType<typeof coloursOf>;
type Story = Pick<Explanation, 'status' | 'executions' | 'scope' | 'questions'>;

/** How a step stands, and how that is known. */
export function drawState(colours: Colours, step: ExplainedStep, story: Story): string {
  const open = story.status === 'running' || story.status === 'waiting';
  switch (step.state) {
    case 'completed':
      return colours.green(drawDone(step, story));
    case 'failed':
      if (step.errors.at(-1)?.code === 'step.cancelled') return colours.yellow('stopped');
      return colours.red(open ? 'failed, will be tried again' : 'failed');
    case 'claimed':
      return drawClaim(colours, step);
    case 'unknown':
      return colours.yellow('outcome unknown, a person has to say it');
    case 'planned':
      if (story.questions?.some(({ step: id, waits }) => waits && id === step.id)) {
        return colours.yellow('waits for approval, not run yet');
      }
      return colours.dim(open ? 'not run yet' : 'not run');
  }
}

function drawDone(step: ExplainedStep, { executions, status, scope, questions }: Story) {
  const { id, knownBy, decidedBy, executedIn } = step;
  const own = executions.filter((each) => each.scope === scope && each.intent !== 'forgotten');
  const at = executions.findIndex(({ runId }) => runId === executedIn);
  const by = at === -1 ? 'by an earlier execution' : `by execution ${at + 1}`;
  const decider = printable(decidedBy ?? 'a person');
  switch (knownBy) {
    case 'find':
      return 'done, as the receiver said when it was asked';
    case 'person':
      if (questions?.findLast((each) => each.step === id)?.decision === 'deny') {
        return `denied by ${decider}, not made; the model was told`;
      }
      return decidedBy === THE_DEADLINE
        ? 'counts as done, since nobody had said otherwise in time'
        : `done, as ${decider} said`;
    case 'shadow':
      return 'only pretended (shadow run)';
    case 'ledger':
      return status === 'forgotten' ? `done ${by}` : `done ${by}, not run again`;
    case 'executed':
    case null:
      return own.length > 1 ? `done ${by}` : 'done';
  }
}

function drawClaim(colours: Colours, { worker, leaseLeftMs, claimedAt }: ExplainedStep): string {
  const by = printable(worker ?? 'a worker');
  if (leaseLeftMs === null || leaseLeftMs <= 0) {
    return colours.yellow(`outcome unknown, begun by ${by}`);
  }
  const since =
    claimedAt === null ? '' : ` for ${drawDuration(Date.now() - Date.parse(claimedAt))}`;
  return colours.cyan(`running on ${by}${since}`);
}
