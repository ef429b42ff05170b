import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

/** A request as a receiver got it. */
export interface ReceivedWebhook {
  id: string;
  /** By the specification's own library. */
  verified: boolean;
  /** What was answered; absent: nothing yet. */
  status?: number;
  body: { type: string; timestamp: string; data: Record<string, unknown> };
}

export interface WebhookReceiver {
  url: string;
  received: ReceivedWebhook[];
  /** Those about one run, by its workflow ID. */
  about(runId: string): ReceivedWebhook[];
  /** Decides what is answered from now on; it may take its time. */
  answer(how: (webhook: ReceivedWebhook) => number | Promise<number>): void;
  stop(): Promise<void>;
}

/** A real HTTP server that verifies each webhook with its secret. */
export async function startWebhookReceiver(secret: string): Promise<WebhookReceiver> {
  const received: ReceivedWebhook[] = [];
  let answer: (webhook: ReceivedWebhook) => number | Promise<number> = () => 204;
  const verifier = new Webhook(secret);
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk) => (text += chunk));
    request.on('end', () => {
      const headers = request.headers as Record<string, string>;
      let verified = true;
      try {
        verifier.verify(text, headers);
      } catch {
        verified = false;
      }
      const body = JSON.parse(text) as ReceivedWebhook['body'];
      const webhook: ReceivedWebhook = { id: headers['webhook-id'] ?? '', verified, body };
      received.push(webhook);
      void Promise.resolve(answer(webhook)).then((status) => {
        webhook.status = status;
        response.writeHead(status).end();
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`,
    received,
    about: (runId) => received.filter(({ body }) => body.data['runId'] === runId),
    answer: (how) => void (answer = how),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
