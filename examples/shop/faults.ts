import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';

/** What goes wrong with one request; `when` says whether its effect has happened by then. */
const fault = z.strictObject({
  /** `drop` breaks the connection, `hang` never answers, `status` answers with one, `delay` waits. */
  kind: z.enum(['drop', 'hang', 'status', 'delay']),
  when: z.enum(['before', 'after-commit']).default('before'),
  endpoint: z.enum(['orders', 'refunds', 'emails']).default('refunds'),
  status: z.number().int().min(400).max(599).default(500),
  ms: z.number().int().nonnegative().default(1000),
});

export const faultOrder = z.strictObject({ faults: z.array(fault).min(1) });
export type Fault = z.output<typeof fault>;

/** Faults that wait to be played, one per request to their endpoint. */
export class Faults {
  #pending: Fault[] = [];

  add(faults: readonly Fault[]): void {
    this.#pending.push(...faults);
  }

  clear(): void {
    this.#pending = [];
  }

  list(): readonly Fault[] {
    return this.#pending;
  }

  /**
   * Plays the next fault of this endpoint and moment.
   *
   * @returns whether the request is over: answered, broken, or left hanging
   */
  async play(
    endpoint: Fault['endpoint'],
    when: Fault['when'],
    reply: FastifyReply,
  ): Promise<boolean> {
    const found = this.#pending.find((each) => each.endpoint === endpoint && each.when === when);
    if (!found) return false;
    this.#pending = this.#pending.filter((each) => each !== found);
    switch (found.kind) {
      case 'delay':
        await sleep(found.ms);
        return false;
      case 'status':
        await reply.code(found.status).send({ error: `Scripted status ${found.status}.` });
        return true;
      case 'drop':
        reply.hijack();
        reply.raw.destroy();
        return true;
      case 'hang':
        reply.hijack();
        return true;
    }
  }
}
