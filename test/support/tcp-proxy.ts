import { once } from 'node:events';
import net from 'node:net';

/** Stands between a client and a server, and can lose what the server answers. */
export interface TcpProxy {
  address: string;
  /** Connections accepted so far. */
  connections(): number;
  /** From now on answers are kept back; requests still reach the server. */
  holdAnswers(): void;
  /** Cuts every connection, kept answers and all; new ones work, and answer. */
  cut(): void;
  /** Cuts every connection and accepts no others. */
  stop(): Promise<void>;
}

export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const [host = '127.0.0.1', port] = target.split(':');
  const sockets = new Set<net.Socket>();
  let holding = false;
  let accepted = 0;

  const server = net.createServer((client) => {
    accepted += 1;
    const upstream = net.connect(Number(port), host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (data) => upstream.write(data));
    upstream.on('data', (data) => {
      if (!holding) client.write(data);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: own } = server.address() as net.AddressInfo;

  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    address: `127.0.0.1:${own}`,
    connections: () => accepted,
    holdAnswers: () => {
      holding = true;
    },
    cut: () => {
      holding = false;
      cut();
    },
    async stop() {
      server.close();
      cut();
      await once(server, 'close');
    },
  };
}
