import { drawDuration } from '../../../cli/show-run.ts';
import { nameProcess } from '../../../cli/show-questions.ts';
import type { PendingActivity } from '../../explain/read-live.ts';
import type { ShownExplanation } from '../../service/operators-only.ts';
import { distance, html, showLine, showLines, time, type Html, type Part } from '../html.ts';

/** What Temporal has under way for a run, or will try again. */
export function drawNow({ live }: ShownExplanation): Part {
  if (!live || (live.turn === null && live.pending.length === 0)) return null;
  const { turn, maxTurns, pending } = live;
  return html`<section aria-labelledby="now">
    <h2 id="now">Now</h2>
    <ul class="facts">
      ${turn !== null && html`<li>turn ${turn}${maxTurns !== null && ` (limit ${maxTurns})`}</li>`}
      ${pending.map(drawPending)}
    </ul>
  </section>`;
}

function drawPending(pending: PendingActivity): Html {
  const { activity, attempt, lastError } = pending;
  const name = activity === 'callModel' ? 'model' : activity.replace(/^tool\./, '');
  return html`<li>
    <strong>${showLine(name)}</strong>: attempt ${attempt} ${drawAttempt(pending)}
    ${
      lastError &&
      html`<br />before it:
        <span class="bad">${showLines(lastError.message)}</span> (${showLine(lastError.code)})`
    }
  </li>`;
}

function drawAttempt(pending: PendingActivity): Part {
  const { state, nextAttemptAt, startedAt, worker } = pending;
  switch (state) {
    case 'started':
      return [
        `is under way on ${nameProcess(worker)}`,
        startedAt !== null && [', begun ', time(startedAt)],
        drawHeartbeat(pending),
      ];
    case 'scheduled':
      return nextAttemptAt === null
        ? 'waits for a worker'
        : ['waits; its next try is at ', time(nextAttemptAt), ' (', distance(nextAttemptAt), ')'];
    case 'cancelling':
      return 'was asked to stop';
    case 'paused':
      return 'is paused in Temporal';
  }
}

function drawHeartbeat({ lastHeartbeatAt, heartbeatTimeoutMs }: PendingActivity): Part {
  if (heartbeatTimeoutMs === null) return null;
  const limit = `given up after ${drawDuration(heartbeatTimeoutMs)} without one`;
  return lastHeartbeatAt === null
    ? `; no sign of life yet, ${limit}`
    : ['; last sign of life ', distance(lastHeartbeatAt), `, ${limit}`];
}
