import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { hashConversation } from '../../../src/extras/dev/scripted-model/calls.ts';
import { tokenOf } from '../../../src/extras/dev/scripted-model/counters.ts';
import type { Turn } from '../../../src/extras/dev/scripted-model/extension.ts';
import { textOf } from '../../../src/extras/dev/scripted-model/wire.ts';
import { fault, timesOf, type Fault } from './fault.ts';

/** Body of `POST /faults`. */
const order = z.strictObject({
  faults: z.array(fault).min(1),
  /** Only requests whose conversation contains this text. */
  match: z.string().optional(),
});

/** Faults that wait to be played: those that were ordered, one per request, and those of scripts. */
export class Faults {
  #ordered: { fault: Fault; match: string | undefined; left: number }[] = [];
  /** How often a script's fault was played, by step. */
  readonly #played = new Map<string, number>();

  /** `GET`, `POST` and `DELETE /faults`. */
  addRoutes(app: FastifyInstance): void {
    const list = () => ({ faults: this.#ordered.map(({ fault, match }) => ({ fault, match })) });
    app.get('/faults', list);
    app.post('/faults', (request) => {
      const { faults, match } = order.parse(request.body);
      for (const each of faults) this.#ordered.push({ fault: each, match, left: timesOf(each) });
      return list();
    });
    app.delete('/faults', () => {
      this.#ordered = [];
      return list();
    });
  }

  /** What goes wrong with this answer; `ofScript` is played as often as it says for each step. */
  take({ request, key }: Turn, ofScript: Fault | undefined): Fault | undefined {
    const conversation = request.messages.map(textOf).join('\n');
    const found = this.#ordered.find(({ match }) => conversation.includes(match ?? ''));
    if (found) {
      found.left -= 1;
      if (found.left <= 0) this.#ordered = this.#ordered.filter((other) => other !== found);
      return found.fault;
    }
    if (!ofScript) return undefined;
    const step = key === undefined ? hashConversation(request) : tokenOf(key);
    const played = this.#played.get(step) ?? 0;
    if (played >= timesOf(ofScript)) return undefined;
    this.#played.set(step, played + 1);
    return ofScript;
  }
}
