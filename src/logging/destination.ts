// What the log is to those who write to it.

/** Takes whole lines. */
export interface Destination {
  write(lines: string): void;
  /**
   * Goes on with a new file of the same name, after the old one has been moved away.
   * @returns resolves once the new file is in use, or with what was in the way; the old one is then still in use
   */
  reopen(): Promise<Error | undefined>;
  /** Resolves when everything written so far is out, or cannot be. */
  flush(): Promise<void>;
  /** Lines that could not be written, so far. */
  readonly lostLines: number;
}
