/** The scripted model in a process of its own; it can be told to hold its answers back. */
import { once } from 'node:events';
import { PLAIN } from '../src/extras/dev/scripted-model/extension.ts';
import { startScriptedModel } from '../src/extras/dev/scripted-model/server.ts';

let open = Promise.resolve();
let release = (): void => undefined;
let held = 0;

const model = await startScriptedModel({
  extension: {
    ...PLAIN,
    extend(app) {
      app.get('/held', () => ({ requests: held }));
      app.post<{ Body: { hold: boolean } }>('/hold', ({ body }) => {
        release();
        if (body.hold) open = new Promise((resolve) => (release = resolve));
        return body;
      });
    },
    async play(turn, http) {
      held += 1;
      // A caller that has given up is not held.
      await Promise.race([open, once(http.raw, 'close')]);
      held -= 1;
      if (!http.raw.destroyed) await PLAIN.play(turn, http);
    },
  },
});
process.stdout.write(`Scripted model: ${model.url}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void model.stop());
