/** A server of the app's own that `agent-once dev` starts and stops with everything else. */
export interface BesidePart {
  /** `shop`: its option is `--shop-port`. */
  name: string;
  /** For the option's help: `the example shop`. */
  description: string;
  /** Its port unless told otherwise. */
  port: number;
  /** The variable by which workers and commands are told its URL. */
  variable: string;
  /**
   * The module that starts it, from the project's root. It exports
   * `start({ port, databaseUrl })`, which resolves to `{ url, stop() }`; the database is that of
   * the ledger.
   */
  module: string;
}

/** A started part. */
export interface StartedPart extends BesidePart {
  url: string;
}
