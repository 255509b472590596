// What a check of the doctor comes to: one line, and what to do about it. Never holds a secret.

/** `fail` keeps flow-proxy from serving, `warn` makes it serve worse or will keep it from serving later. */
export type Verdict = 'ok' | 'warn' | 'fail';

export interface Finding {
  /** Short name of what was looked at; the same in every run. */
  readonly check: string;
  readonly verdict: Verdict;
  readonly message: string;
  /** What to do; null when nothing is to be done. */
  readonly fix: string | null;
  /** Milliseconds it took, where that is of interest. */
  readonly tookMs?: number;
}

export function ok(check: string, message: string, tookMs?: number): Finding {
  return { check, verdict: 'ok', message, fix: null, ...(tookMs === undefined ? {} : { tookMs }) };
}

export function warn(check: string, message: string, fix: string): Finding {
  return { check, verdict: 'warn', message, fix };
}

export function fail(check: string, message: string, fix: string): Finding {
  return { check, verdict: 'fail', message, fix };
}

/** The worst of all; `ok` when there are none. */
export function worstOf(findings: readonly Finding[]): Verdict {
  const verdicts = new Set(findings.map(({ verdict }) => verdict));
  if (verdicts.has('fail')) return 'fail';
  return verdicts.has('warn') ? 'warn' : 'ok';
}

/**
 * A problem in the words of the settings and files: "what is wrong; what to do".
 * @param otherwise what to do where the sentence does not say
 */
export function fromSentence(
  check: string,
  verdict: Exclude<Verdict, 'ok'>,
  sentence: string,
  otherwise: string,
): Finding {
  // What is denied is explained in parentheses, and the command that mends it stands last in them: see config/denied.ts.
  const denied = /^(.*): (`[^`]+`)\)$/.exec(sentence);
  if (denied !== null) return { check, verdict, message: `${denied[1]})`, fix: denied[2] ?? otherwise };
  const [message = sentence, ...rest] = sentence.split('; ');
  return { check, verdict, message, fix: rest.length === 0 ? otherwise : rest.join('; ') };
}
