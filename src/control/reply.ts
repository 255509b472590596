// What the control socket answers to a verb other than `status`.

/** `refused` is anything that was not done as asked. */
export interface VerbReply {
  readonly outcome: 'done' | 'refused';
  /** One sentence. */
  readonly message: string;
  /** Details, one a line. */
  readonly reasons: readonly string[];
  /** The primary's. */
  readonly pid: number;
}

export function done(message: string, reasons: readonly string[] = []): VerbReply {
  return { outcome: 'done', message, reasons, pid: process.pid };
}

export function refused(message: string, reasons: readonly string[] = []): VerbReply {
  return { outcome: 'refused', message, reasons, pid: process.pid };
}

export function isVerbReply(value: unknown): value is VerbReply {
  if (typeof value !== 'object' || value === null) return false;
  const isOutcome = 'outcome' in value && (value.outcome === 'done' || value.outcome === 'refused');
  const hasMessage = 'message' in value && typeof value.message === 'string';
  const hasReasons = 'reasons' in value && Array.isArray(value.reasons);
  return isOutcome && hasMessage && hasReasons && 'pid' in value && typeof value.pid === 'number';
}
