// pino-roll ships no types. Only what we use of it; its stream is pino's, a SonicBoom.
declare module 'pino-roll' {
  import type { destination } from 'pino';

  interface RollOptions {
    readonly file: string;
    readonly frequency: 'daily';
    readonly dateFormat: string;
    /** A number and its unit: b, k, m or g. */
    readonly size: string;
    readonly mode: number;
    readonly sync: boolean;
  }

  type RollingStream = ReturnType<typeof destination> & {
    /** Where it writes, or is about to. */
    readonly file: string | null;
    /** Negative until the first file is open. */
    readonly fd: number;
  };

  function buildRollingFile(options: RollOptions): Promise<RollingStream>;
  export = buildRollingFile;
}
