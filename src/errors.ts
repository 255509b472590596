// The errors of every layer: what a program may rely on is `code`, what a person reads is `message`.

/** Where a failure came from: decides whether it may be retried and whom the log line names. */
export type ErrorSource = 'client' | 'upstream' | 'internal';

/** Exit code for bad settings or secrets (EX_CONFIG in sysexits.h). */
export const EXIT_CONFIG = 78;

/** Settings or secrets that cannot be used; holds every problem found, not only the first. */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];

  /**
   * @param subject what was being read, e.g. `settings` or a file's path
   * @param problems one sentence each: the field, its value (never a secret's), and the fix
   * @param warnings what else was found; a variable whose name is misspelt may be why another one is missing
   */
  constructor(subject: string, problems: readonly string[], warnings: readonly string[] = []) {
    super(`${subject}: ${problems.join('; ')}`);
    this.name = 'ConfigError';
    this.problems = problems;
    this.warnings = warnings;
  }
}

/** The message of anything thrown, without assuming that it is an Error. */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** The `code` of a system or undici error (`ECONNREFUSED`, `UND_ERR_SOCKET`), if it has one. */
export function codeOf(cause: unknown): string | undefined {
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return undefined;
  return typeof cause.code === 'string' ? cause.code : undefined;
}
