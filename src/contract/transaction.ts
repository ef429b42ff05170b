/** What a `transactional` tool writes with: a transaction on the ledger's own database. */
export interface Transaction {
  query<Row = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
  ): Promise<{ rows: Row[]; rowCount: number | null }>;
}
