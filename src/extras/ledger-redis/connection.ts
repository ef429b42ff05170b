import { ClientClosedError, createClient, ErrorReply, RESP_TYPES } from 'redis';
import { AgentOnceError } from '../../contract/errors.ts';
import { decoded, splitUrl } from '../../contract/url-parts.ts';
import { isOfThisServer, replyCode, toLedgerError } from './redis-error.ts';
import type { Script } from './script.ts';

/** What Redis answers, payloads as they are: bytes. */
export type Reply = Buffer | number | null | Reply[];
export type Argument = string | number | Buffer;

/** A reply that is a list; of anything else, an empty one. */
export function list(reply: Reply | undefined): Reply[] {
  return Array.isArray(reply) ? reply : [];
}

/** A list of names and values by turns. */
export function pairs(reply: Reply | undefined): [name: Reply, value: Reply][] {
  const flat = list(reply);
  return flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] ?? null]] : []));
}

const CONNECT_TIMEOUT_MS = 5_000;
/** Longer than a server takes that answers at all. */
const COMMAND_TIMEOUT_MS = 5_000;
/** Keys of one look at the server's, other programs' included. */
const KEYS_AT_ONCE = 1_000;
const BUFFERS = { [RESP_TYPES.BLOB_STRING]: Buffer };

type Client = ReturnType<typeof clientOf>;

/**
 * One connection, made with the first command and again with the first after a loss: nothing runs
 * in between that could wait for ever or end the process. A command whose connection is lost may
 * have been done. Errors come out as `toLedgerError` has them.
 */
export class Connection {
  /** Host, port and number of the database, without credentials. */
  readonly where: string;
  readonly #url: string;
  #current: { client: Client; ready: Promise<unknown> } | undefined;
  #closed: Promise<void> | undefined;

  /** @throws {AgentOnceError} `config.invalid` */
  constructor(url: string) {
    this.where = describeUrl(url);
    this.#url = url;
  }

  /** Runs a script. One round trip; two where the server has not seen it yet. */
  async run(
    { text, sha1 }: Script,
    keys: readonly string[],
    args: readonly Argument[],
  ): Promise<Reply> {
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await this.#send(['EVALSHA', sha1, ...rest]);
    } catch (error) {
      if (replyCode(error) !== 'NOSCRIPT') throw toLedgerError(error, this.where);
    }
    return this.command(['EVAL', text, ...rest]);
  }

  async command(args: readonly Argument[]): Promise<Reply> {
    try {
      return await this.#send(args);
    } catch (error) {
      throw toLedgerError(error, this.where);
    }
  }

  /** Keys like `match`, a part of them; begins and ends with the cursor 0. */
  async scan(cursor: string, match: string): Promise<{ next: string; names: string[] }> {
    const args = ['SCAN', cursor, 'MATCH', match, 'COUNT', KEYS_AT_ONCE];
    const [next, names] = list(await this.command(args));
    return { next: String(next ?? '0'), names: list(names).map(String) };
  }

  /** Settings of the server by name; `undefined` where it tells none to this user. */
  async settings(...names: string[]): Promise<Map<string, string> | undefined> {
    const found = new Map<string, string>();
    for (const name of names) {
      try {
        const reply = await this.#send(['CONFIG', 'GET', name]);
        const [key, value] = list(reply);
        if (key === undefined || value === undefined) return undefined;
        found.set(String(key), String(value));
      } catch (error) {
        if (error instanceof ErrorReply && ['NOPERM', 'ERR'].includes(replyCode(error) ?? '')) {
          return undefined;
        }
        throw toLedgerError(error, this.where);
      }
    }
    return found;
  }

  /** Waits for commands that are under way. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    const current = this.#current;
    if (current === undefined) return;
    try {
      await current.ready;
      await within(COMMAND_TIMEOUT_MS, current.client.close());
    } catch {
      // It is gone already, or does not answer.
    }
    this.#drop(current.client);
  }

  async #send(args: readonly Argument[]): Promise<Reply> {
    if (this.#closed !== undefined) throw new ClientClosedError();
    this.#current ??= this.#connect();
    const { client, ready } = this.#current;
    await ready;
    const encoded = args.map((arg) => (typeof arg === 'number' ? String(arg) : arg));
    try {
      const sent = client.sendCommand<Reply>(encoded, { typeMapping: BUFFERS });
      return await within(COMMAND_TIMEOUT_MS, sent);
    } catch (error) {
      // What is not the server's own word leaves a connection that nobody can be sure of.
      if (!(error instanceof ErrorReply)) this.#drop(client);
      // Another server may have its name by now.
      else if (isOfThisServer(error)) this.#leave(client);
      throw error;
    }
  }

  #connect(): { client: Client; ready: Promise<unknown> } {
    const client = clientOf(this.#url);
    // Without a listener a lost connection would end the process.
    client.on('error', () => this.#drop(client));
    const ready = within(CONNECT_TIMEOUT_MS, client.connect()).catch((error: unknown) => {
      this.#drop(client);
      if (error instanceof ErrorReply) throw error;
      throw toLedgerError(error, this.where, { tls: /^rediss:/i.test(this.#url) });
    });
    return { client, ready };
  }

  /** The next command makes a connection of its own, and those that were sent are answered. */
  #leave(client: Client): void {
    if (this.#current?.client !== client) return;
    this.#current = undefined;
    const end = (): void => this.#drop(client);
    within(COMMAND_TIMEOUT_MS, client.close()).then(end, end);
  }

  #drop(client: Client): void {
    if (this.#current?.client === client) this.#current = undefined;
    if (client.isOpen) client.destroy();
  }
}

function clientOf(url: string) {
  return createClient({
    url,
    RESP: 2,
    disableOfflineQueue: true,
    clientInfoTag: 'agent-once',
    socket: { connectTimeout: CONNECT_TIMEOUT_MS, reconnectStrategy: false },
  });
}

/** Bounds what may never be answered: a server that is stopped, a cable that is cut. */
async function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const error = Object.assign(new Error(`No answer within ${ms} ms.`), { code: 'ETIMEDOUT' });
    timer = setTimeout(() => reject(error), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

function describeUrl(text: string): string {
  const parts = splitUrl(text);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const usable =
    parts !== undefined &&
    url !== undefined &&
    ['redis', 'rediss'].includes(parts.scheme) &&
    url.hostname !== '' &&
    parts.fragment === '' &&
    /^\/?\d*$/.test(parts.path) &&
    [url.username, url.password].every((each) => decoded(each) !== undefined);
  if (!usable) {
    // Without the parser's error: it repeats the URL, and with it the password.
    throw new AgentOnceError(
      'config.invalid',
      'LEDGER_URL is not a Redis URL: redis://user:password@host:port/number, or rediss:// with TLS, with special characters in the password percent-encoded, such as %2F for / and %40 for @.',
    );
  }
  return `${parts.host}/${parts.path.slice(1) || '0'}`;
}
