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
   * Plays the next fault of this endpoint.
   *
   * @returns whether the request is over: answered, broken, or left hanging
   */
  async play(endpoint: Fault['endpoint'], when: 'before', reply: FastifyReply): Promise<boolean> {
    const found = this.#take(endpoint, when);
    if (!found) return false;
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

  /** Plays the next fault of an endpoint whose effect is committed: its answer is lost or changed. */
  async playOnAnswer(
    endpoint: Fault['endpoint'],
    reply: FastifyReply,
    payload: unknown,
  ): Promise<unknown> {
    if (reply.statusCode >= 400) return payload;
    const found = this.#take(endpoint, 'after-commit');
    switch (found?.kind) {
      case undefined:
        return payload;
      case 'delay':
        await sleep(found.ms);
        return payload;
      case 'status':
        reply.code(found.status);
        return JSON.stringify({ error: `Scripted status ${found.status}.` });
      case 'drop':
        reply.raw.destroy();
        return payload;
      case 'hang':
        return new Promise<never>(() => undefined);
    }
  }

  #take(endpoint: Fault['endpoint'], when: Fault['when']): Fault | undefined {
    const found = this.#pending.find((each) => each.endpoint === endpoint && each.when === when);
    this.#pending = this.#pending.filter((each) => each !== found);
    return found;
  }
}
