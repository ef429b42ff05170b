import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import type { Snapshot } from '../../service/run-feed.ts';
import { LiveParts } from '../live.ts';

/** What a reader gets of a stream, and what went wrong while it was written. */
async function read(
  write: (response: ServerResponse) => Promise<void>,
): Promise<{ text: string; errors: unknown[] }> {
  const errors: unknown[] = [];
  const server = createServer((_request, response) => {
    response.on('error', (error) => errors.push(error));
    write(response).catch((error: unknown) => errors.push(error));
  }).listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const text = await (await fetch(`http://127.0.0.1:${port}/`)).text();
    // An error of the stream comes a moment after its end.
    await new Promise((resolve) => setImmediate(resolve));
    return { text, errors };
  } finally {
    server.close();
  }
}

const snapshot = (ended: boolean): Snapshot => ({ run: {} as never, steps: [], ended });

test('a part is sent when it has changed, and the end once', async () => {
  let drawn = 0;
  const { text, errors } = await read(async (response) => {
    const parts = new LiveParts(response, () =>
      Promise.resolve({ story: `drawing ${(drawn += 1)}`, actions: 'the same' }),
    );
    parts.changed(snapshot(false));
    parts.changed(snapshot(false));
    await new Promise((resolve) => setImmediate(resolve));
    parts.changed(snapshot(true));
    await parts.finish();
  });
  expect(text.match(/^event: .*/gm)).toEqual([
    'event: story',
    'event: actions',
    'event: story',
    'event: end',
  ]);
  expect(errors).toEqual([]);
});

test('what is drawn again is sent only if it says something else, whatever its clocks show', async () => {
  const clock = (shown: string) => `<time datetime="2026-12-01T00:00:00Z">${shown}</time>`;
  const drawings = [clock('now'), clock('1 min ago'), `no worker ${clock('2 min ago')}`];
  const { text } = await read(async (response) => {
    const parts = new LiveParts(response, () => Promise.resolve({ story: drawings.shift() ?? '' }));
    for (let times = 0; times < 3; times += 1) {
      parts.refresh();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await parts.finish();
    parts.refresh();
  });
  expect(text.match(/^data: .*/gm)).toEqual([
    `data: ${JSON.stringify(clock('now'))}`,
    `data: ${JSON.stringify(`no worker ${clock('2 min ago')}`)}`,
    'data: {}',
  ]);
});

test('what cannot be drawn ends the stream without an end, so that the reader comes back', async () => {
  const { text, errors } = await read(async (response) => {
    const parts = new LiveParts(response, () => Promise.reject(new Error('Temporal is away')));
    parts.changed(snapshot(true));
    await parts.finish();
    parts.changed(snapshot(false));
  });
  expect(text).toBe('');
  expect(errors).toEqual([]);
});
