/** What a part that is not a table of rows has measured. */
export interface PartReport {
  part: string;
  /** All of it, for machines. */
  figures: unknown;
  /** For people: the first line of a table has its titles. */
  tables: string[][][];
  notes: string[];
}

export function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
