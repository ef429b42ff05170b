import { once } from 'node:events';
import net from 'node:net';

/** Stands between a client and a server, and can lose or delay what passes. */
export interface TcpProxy {
  address: string;
  /** Connections accepted so far. */
  connections(): number;
  /** From now on answers are kept back; requests still reach the server. */
  holdAnswers(): void;
  /** From now on everything takes this much longer, in both directions. */
  delay(ms: number): void;
  /** From now on new connections go there; those that are open stay where they are. */
  switchTo(target: string): void;
  /** Cuts every connection, kept answers and all; new ones work, and answer. */
  cut(): void;
  /** Cuts every connection, and from now on each new one at once, until `cut`. */
  refuse(): void;
  /** Cuts every connection and accepts no others. */
  stop(): Promise<void>;
}

/** @param target `127.0.0.1:5432` */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  let [host, port] = partsOf(target);
  const sockets = new Set<net.Socket>();
  let holding = false;
  let refusing = false;
  let delayMs = 0;
  let accepted = 0;

  const server = net.createServer((client) => {
    accepted += 1;
    if (refusing) {
      client.on('error', () => client.destroy()).destroy();
      return;
    }
    const upstream = net.connect(port, host);
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    const toServer = createLane(upstream, () => delayMs);
    const toClient = createLane(client, () => delayMs);
    client.on('data', toServer);
    upstream.on('data', (data) => {
      if (!holding) toClient(data);
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
    delay: (ms) => {
      delayMs = ms;
    },
    switchTo: (next) => {
      [host, port] = partsOf(next);
    },
    cut: () => {
      holding = false;
      refusing = false;
      cut();
    },
    refuse: () => {
      refusing = true;
      cut();
    },
    async stop() {
      server.close();
      cut();
      await once(server, 'close');
    },
  };
}

function partsOf(target: string): [host: string, port: number] {
  const [host = '127.0.0.1', port] = target.split(':');
  return [host, Number(port)];
}

/** Passes data on after the delay, and in order also when the delay becomes shorter. */
function createLane(to: net.Socket, delayMs: () => number): (data: Buffer) => void {
  let lastDue = 0;
  return (data) => {
    const now = Date.now();
    const due = Math.max(lastDue, now + delayMs());
    if (due <= now) {
      to.write(data);
      return;
    }
    lastDue = due;
    setTimeout(() => {
      if (!to.destroyed) to.write(data);
    }, due - now).unref();
  };
}
