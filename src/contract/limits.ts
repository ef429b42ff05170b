const KiB = 1024;
const MiB = 1024 * KiB;

/** 24.8 days, in milliseconds: a longer timer of Node fires at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Sizes, in bytes of UTF-8 JSON, beyond which a clear error beats a stuck workflow. */
export const LIMITS = {
  /** A run's input: travels in Temporal's start event and in the first model step. */
  inputBytes: 1 * MiB,
  /** A run's final answer: the workflow's result. */
  outputBytes: 1 * MiB,
  /** A tool's result: kept in the ledger, compressed; history shows a preview. */
  toolResultBytes: 8 * MiB,
  /** What a model's endpoint wants back with the next request: kept in the ledger with the turn. */
  opaqueBytes: 4 * MiB,
  /** A message leaving an activity: 3 MB of it hangs the attempt until its timeout. */
  errorBytes: 4 * KiB,
  /** What history shows of a tool's result. */
  previewBytes: 2 * KiB,
  /**
   * What a question keeps of an error: a run holds all its questions, and answers them in one query.
   * The ledger has what the attempt said.
   */
  questionErrorBytes: 2 * KiB,
  /** Questions of a run that its memo shows; how many more there are, it says. */
  memoQuestions: 3,
  /** Those together: Temporal Cloud takes memos of 40 KB in all, and every list sends them. */
  memoQuestionsBytes: 6 * KiB,
  /** One text in the memo. */
  memoTextBytes: 512,
  /** A run's current details in Temporal UI. */
  detailsBytes: 24 * KiB,
  /** The name of an activity or a timer in Temporal UI: the server refuses one of more than 400. */
  summaryBytes: 400,
  /** Tool calls of one turn: thousands would exceed what Temporal lets a workflow have pending. */
  callsPerTurn: 64,
  /** How deep JSON may nest; RFC 8785 code recurses. */
  jsonDepth: 200,
} as const;
