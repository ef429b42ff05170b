/** The other side of the tools, in a process of its own: answers, and counts the requests. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

let requests = 0;
const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  if (request.method === 'POST') requests += 1;
  response.end(JSON.stringify({ path: request.url, requests }));
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`Counter: http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
