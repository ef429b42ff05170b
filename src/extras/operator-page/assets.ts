import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { FastifyInstance } from 'fastify';
import { ROOT } from './paths.ts';

const TYPES = { 'page.css': 'text/css', 'page.js': 'text/javascript' } as const;

/** The page's style and script: anybody may read them, and a browser asks each time whether they changed. */
export async function serveAssets(app: FastifyInstance): Promise<void> {
  for (const [name, type] of Object.entries(TYPES)) {
    const content = await readFile(path.join(import.meta.dirname, 'assets', name));
    const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 27)}"`;
    app.get(`${ROOT}/assets/${name}`, { schema: { hide: true } }, async (request, reply) => {
      void reply.headers({ etag, 'cache-control': 'no-cache' });
      if (request.headers['if-none-match'] === etag) return reply.code(304).send();
      return reply.type(`${type}; charset=utf-8`).send(content);
    });
  }
}
