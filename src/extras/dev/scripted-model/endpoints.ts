import type { FastifyInstance } from 'fastify';
import { openChat } from './chat/open-chat.ts';
import type { Counters } from './counters.ts';
import { lenientDialect, type Dialect } from './dialect.ts';
import type { Opened } from './extension.ts';
import type { Player } from './player.ts';
import { openResponses } from './responses/open-responses.ts';

const MODELS = {
  object: 'list',
  data: [{ id: 'scripted', object: 'model', created: 0, owned_by: 'agent-once' }],
};

/** The paths of the model: those of `/v1`, and of every other dialect. */
export function addEndpoints(
  app: FastifyInstance,
  dialects: Readonly<Record<string, Dialect>>,
  player: Player,
  counters: Counters,
): void {
  addDialect('/v1', lenientDialect);
  for (const [name, dialect] of Object.entries(dialects)) addDialect(`/${name}/v1`, dialect);

  function addDialect(base: string, dialect: Dialect): void {
    const { responses } = dialect;
    app.get(`${base}/models`, () => MODELS);
    add('/chat/completions', (body) => openChat(body, dialect));
    if (responses) add('/responses', (body) => openResponses(body, dialect, responses));

    function add(path: string, open: (body: unknown) => Opened): void {
      app.post(base + path, async (request, http) => {
        const key = request.headers['idempotency-key']?.toString();
        counters.countRequest(key);
        const opened = open(request.body);
        if ('problem' in opened) {
          const { problem } = opened;
          return http.code(problem.status).send(dialect.errorBody(problem));
        }
        await player.answer({ ...opened, key, dialect }, http);
        return http;
      });
    }
  }
}
