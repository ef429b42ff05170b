import pc from 'picocolors';
import { drawEarlier, drawExecutions } from '../../explain/show-executions.ts';
import type { ShownExplanation } from '../../service/operators-only.ts';
import { html, showLines, type Html, type Part } from '../html.ts';
import { drawStepsOf } from './steps.ts';

const PLAIN = pc.createColors(false);

/** All executions under the key, and why each began, as `explain` tells them. */
export function drawExecutionList(explanation: ShownExplanation): Html {
  return html`<section aria-labelledby="executions">
    <h2 id="executions">Executions</h2>
    <ul class="facts">
      ${drawExecutions(PLAIN, explanation).map(
        ([head = '', ...more]) =>
          html`<li>
            ${showLines(head)}
            ${more.map((each) => html`<p class="more">${showLines(each.trim())}</p>`)}
          </li>`,
      )}
    </ul>
  </section>`;
}

/** Runs that had the key before, with their steps. */
export function drawEarlierRuns(explanation: ShownExplanation): Part {
  const { earlierRuns } = explanation;
  if (!earlierRuns || earlierRuns.length === 0) return null;
  const told = drawEarlier(explanation);
  return html`<section aria-labelledby="earlier">
    <h2 id="earlier">Earlier runs under this key</h2>
    ${earlierRuns.map(({ scope, steps }, at) => {
      const [head = '', ...more] = told[at] ?? [];
      // They do not go on, whatever their key's run does now.
      const story = { ...explanation, status: 'forgotten' as const, scope, questions: [] };
      return html`<details>
        <summary>${showLines(head)}</summary>
        ${more.map((each) => html`<p class="more">${showLines(each.trim())}</p>`)}
        <ol class="steps">
          ${drawStepsOf(steps, story)}
        </ol>
      </details>`;
    })}
  </section>`;
}
