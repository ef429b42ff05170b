import pg, { type QueryConfig, type QueryResult, type QueryResultRow } from 'pg';

/** The part of `pg`'s connection that sends messages. */
interface Wire {
  parse(message: { text: string }): void;
  bind(message: object): void;
  execute(message: object): void;
  sync(): void;
}

/** The part of `pg`'s own query that its types leave out. */
interface WireQuery extends pg.Submittable {
  prepare(wire: Wire): void;
  handleRowDescription(message: unknown): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, wire: Wire): void;
}

const WireQuery = pg.Query as unknown as new (config: QueryConfig) => WireQuery;

export interface Enclosed {
  /** Sent before it, in this order. */
  before: readonly string[];
  /** Sent after it. */
  after: readonly string[];
  /** Milliseconds until its caller gives up; default: the connection's. */
  timeoutMs?: number;
}

/**
 * A query between others, all in one message to the server and one answer: a transaction of its own
 * in one round trip, with settings that end with it. The first error ends the series: what follows
 * it does not run.
 */
class EnclosedQuery extends WireQuery {
  readonly query_timeout: number | undefined;
  readonly #before: readonly string[];
  readonly #after: readonly string[];
  /** Statements that are done. */
  #done = 0;

  constructor(query: QueryConfig, { before, after, timeoutMs }: Enclosed) {
    // Also without values it is one of several statements.
    super({ ...query, queryMode: 'extended' } as QueryConfig);
    this.#before = before;
    this.#after = after;
    this.query_timeout = timeoutMs;
  }

  override prepare(wire: Wire): void {
    for (const text of this.#before) send(wire, text);
    const after = this.#after;
    super.prepare(
      Object.create(wire, {
        sync: {
          value: () => {
            for (const text of after) send(wire, text);
            wire.sync();
          },
        },
      }) as Wire,
    );
  }

  get #mine(): boolean {
    return this.#done === this.#before.length;
  }

  override handleRowDescription(message: unknown): void {
    if (this.#mine) super.handleRowDescription(message);
  }

  override handleDataRow(message: unknown): void {
    if (this.#mine) super.handleDataRow(message);
  }

  override handleCommandComplete(message: unknown, wire: Wire): void {
    if (this.#mine) super.handleCommandComplete(message, wire);
    this.#done += 1;
  }
}

/** Sends a query with what stands around it. */
export function queryEnclosed<Row extends QueryResultRow>(
  client: pg.ClientBase,
  query: QueryConfig,
  enclosed: Enclosed,
): Promise<QueryResult<Row>> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | undefined | null, result: unknown): void =>
      error ? reject(error) : resolve(result as QueryResult<Row>);
    (client.query as (query: EnclosedQuery, done: unknown) => unknown).call(
      client,
      new EnclosedQuery(query, enclosed),
      done,
    );
  });
}

function send(wire: Wire, text: string): void {
  wire.parse({ text });
  wire.bind({});
  wire.execute({});
}
