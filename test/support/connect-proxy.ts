import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

/** A connection that a proxy was asked for with CONNECT. */
export interface Asked {
  target: string;
  authorization: string | undefined;
}

/** A real proxy that knows one server, whatever name it is asked for. */
export interface ConnectProxy {
  port: number;
  asked: Asked[];
  stop(): Promise<void>;
}

/** @param server `127.0.0.1:7233` */
export async function startConnectProxy(server: string): Promise<ConnectProxy> {
  const [host = '', port = ''] = server.split(':');
  const asked: Asked[] = [];
  const open = new Set<Duplex>();
  const proxy = http.createServer((_request, response) => response.writeHead(405).end());
  proxy.on('connect', (request, client: Duplex, head: Buffer) => {
    asked.push({
      target: request.url ?? '',
      authorization: request.headers['proxy-authorization'],
    });
    const upstream = net.connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => socket.destroy()).on('close', () => open.delete(socket));
    }
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    port: (proxy.address() as AddressInfo).port,
    asked,
    async stop() {
      for (const socket of open) socket.destroy();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}
