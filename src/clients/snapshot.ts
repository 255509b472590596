// What the primary tells every worker about the client keys: always the whole of it, with a version.

/** A client key as a worker sees it. */
export interface ClientKey {
  /** Unique; shown in logs. */
  readonly name: string;
  /** What is stored of the key itself. */
  readonly hash: string;
  /** Patterns of the models it may use, or null for all. */
  readonly models: readonly string[] | null;
  /** Whether the primary has to be asked before each exchange. */
  readonly isLimited: boolean;
}

/** All client keys at one moment. A higher version replaces a lower one; nothing is ever merged. */
export interface ClientsSnapshot {
  readonly version: number;
  readonly keys: readonly ClientKey[];
}
