import pc from 'picocolors';
import { nameProcess } from '../../../cli/show-questions.ts';
import { drawDuration, titleOf } from '../../../cli/show-run.ts';
import type { ExplainedStep } from '../../explain/explanation.ts';
import { drawStep } from '../../explain/show-steps.ts';
import { drawState } from '../../explain/step-state.ts';
import type { ShownExplanation } from '../../service/operators-only.ts';
import { html, showLine, showLines, time, type Html, type Part } from '../html.ts';

const PLAIN = pc.createColors(false);

type ToldWith = Pick<ShownExplanation, 'status' | 'executions' | 'scope' | 'questions'>;

/** The steps of a run, turn by turn. Links to a step or to what it asked lead to its ID. */
export function drawSteps(explanation: ShownExplanation): Part {
  const { steps, waiting } = explanation;
  if (steps === null) return null;
  if (steps.length === 0) return html`<p>No step was begun yet.</p>`;
  const turns = [...new Set(steps.map(({ turn }) => turn))];
  // While a step asks, its question has the ID: that is what a link to it is about.
  const asking = new Set(waiting.map(({ step }) => step));
  const idOf = ({ id }: ExplainedStep) => (asking.has(id) ? `step-${id}` : id);
  return turns.map((turn) => {
    const own = steps.filter((step) => step.turn === turn);
    return html`<section>
      <h3>Turn ${turn}</h3>
      <ol class="steps">
        ${own.map((step) => drawOne(step, explanation, idOf(step)))}
      </ol>
    </section>`;
  });
}

/** Steps of another run, which no link leads to. */
export function drawStepsOf(steps: readonly ExplainedStep[], story: ToldWith): Html[] {
  return steps.map((step) => drawOne(step, story));
}

/** A step in the words of `explain`. */
function drawOne(step: ExplainedStep, story: ToldWith, anchor?: string): Html {
  const { id, effect, durationMs, endedAt, token, repeats, worker } = step;
  const [, ...more] = drawStep(PLAIN, step, story, false);
  const content = [
    html`<p>
      <code>${id}</code> <strong>${showLine(titleOf(step))}</strong>
      ${effect !== null && html` <span class="pill">${effect}</span>`} · ${drawHow(step, story)}
      ${endedAt !== null && [' · ', time(endedAt)]}
      ${durationMs !== null && ` · ${drawDuration(durationMs)}`}
      ${repeats.length > 0 && html` <span class="pill repeated">made again</span>`}
    </p>`,
    ...more.map((each) => html`<p class="more">${showLines(each.trim())}</p>`),
    ...repeats.map(
      ({ happened, token: before }) =>
        html`<p class="more">
          an earlier run ${happened === 'yes' ? 'had made' : 'may have made'} the same:
          <code>${before}</code>
        </p>`,
    ),
    html`<p class="more">
      token <code>${token}</code>${worker !== null && `, ${nameProcess(worker)}`}
    </p>`,
  ];
  return anchor === undefined
    ? html`<li class="${`step ${step.state}`}">${content}</li>`
    : html`<li class="${`step ${step.state}`}" id="${anchor}">${content}</li>`;
}

/** How a step stands. Since when it runs is a moment here, which stays true while it is looked at. */
function drawHow(step: ExplainedStep, story: ToldWith): Part {
  const { state, leaseLeftMs, claimedAt, worker } = step;
  if (state !== 'claimed' || leaseLeftMs === null || leaseLeftMs <= 0) {
    return showLine(drawState(PLAIN, step, story));
  }
  return [`running on ${nameProcess(worker)}`, claimedAt !== null && [' since ', time(claimedAt)]];
}
