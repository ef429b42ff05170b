import type { ExplainedStep, Explanation } from '../explain/explanation.ts';
import type { coloursOf } from './output.ts';
import { printable } from './output.ts';
import { drawDuration, drawSpent } from './show-run.ts';

type Colours = ReturnType<typeof coloursOf>;
type Story = Pick<Explanation, 'status' | 'executions'>;

/** The steps in their order, by turns; what went wrong in one is indented under it. */
export function drawTurns(
  colours: Colours,
  steps: readonly ExplainedStep[],
  story: Story,
): string[] {
  if (steps.length === 0) return ['none was begun'];
  const turns = [...new Set(steps.map(({ turn }) => turn))];
  return turns.flatMap((turn) => [
    `turn ${turn}`,
    ...steps
      .filter((step) => step.turn === turn)
      .flatMap((step) => drawStep(colours, step, story).map((line) => `  ${line}`)),
  ]);
}

function drawStep(colours: Colours, step: ExplainedStep, story: Story): string[] {
  const { id, tool, model, effect, attempts, durationMs, usage } = step;
  const facts = [
    drawState(colours, step, story),
    effect,
    attempts > 1 && `${attempts} attempts`,
    durationMs !== null && drawDuration(durationMs),
    usage && drawSpent(usage),
    step.possiblyPaidTwice && colours.yellow('possibly paid twice'),
  ].filter((fact) => typeof fact === 'string');
  const name = tool ?? (model === null ? 'model' : `model ${model}`);
  return [
    `${id.padEnd(8)}  ${drawTitle(name, step.summary)} · ${facts.join(' · ')}`,
    ...drawErrors(colours, step),
  ];
}

/** What its attempts said, oldest first; the same again and again is said once. */
function drawErrors(colours: Colours, { errors }: ExplainedStep): string[] {
  const said: { line: string; times: number }[] = [];
  for (const { code, message } of errors) {
    const line = `${printable(message)} (${code})`;
    const last = said.at(-1);
    if (last?.line === line) last.times += 1;
    else said.push({ line, times: 1 });
  }
  return said.map(({ line, times }) => {
    const failed = times === 1 ? 'failed:' : `failed ${times} times:`;
    return `          ${colours.dim(failed)} ${line}`;
  });
}

function drawTitle(name: string, summary: string | null): string {
  return printable(summary === null || summary === name ? name : `${name}: ${summary}`);
}

/** How a step stands, and how that is known. */
function drawState(colours: Colours, step: ExplainedStep, { status, executions }: Story): string {
  const open = status === 'running' || status === 'waiting';
  switch (step.state) {
    case 'completed': {
      if (step.knownBy === 'executed') return colours.green('executed');
      const at = executions.findIndex(({ runId }) => runId === step.executedIn);
      return colours.green(at === -1 ? 'from the ledger' : `from the ledger (execution ${at + 1})`);
    }
    case 'failed':
      if (step.errors.at(-1)?.code === 'step.cancelled') return colours.yellow('stopped');
      return colours.red(open ? 'failed, will be tried again' : 'failed');
    case 'claimed':
      return drawClaim(colours, step);
    case 'planned':
      return colours.dim(open ? 'not run yet' : 'not run');
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
