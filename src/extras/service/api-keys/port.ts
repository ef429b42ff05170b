/** What a key allows: to start runs, to read them, to decide and cancel, and everything. */
export const SCOPES = ['start', 'read', 'decide', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** Who sent a request. */
export interface Caller {
  tenant: string;
  scopes: ReadonlySet<Scope>;
  /** The key's look-up prefix, for logs; never the key. */
  keyPrefix: string;
  /** What the key is for, as whoever made it said: of a person's key, their name. */
  name: string;
}

export interface ApiKeyRecord {
  /** The beginning of the key, by which it is looked up and spoken of. */
  prefix: string;
  tenant: string;
  scopes: Scope[];
  name: string;
  createdAt: string;
  revokedAt: string | null;
}

/** API keys, of which only SHA-256 hashes are stored. */
export interface ApiKeys {
  /** Makes a key; it is shown this once. */
  create(of: { tenant: string; scopes: readonly Scope[]; name: string }): Promise<{
    key: string;
    record: ApiKeyRecord;
  }>;
  list(tenant?: string): Promise<ApiKeyRecord[]>;
  /**
   * Ends a key. Takes a moment: once it resolves, no service accepts the key any more. `false`:
   * there is none with this prefix. Repeatable.
   */
  revoke(prefix: string): Promise<boolean>;
  /** The caller that a key stands for; `undefined`: none, or a revoked one. */
  authenticate(key: string): Promise<Caller | undefined>;
  close(): Promise<void>;
}
