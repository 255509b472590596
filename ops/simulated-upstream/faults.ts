// The fault rules: which requests are mistreated, how, and how often still.
// How a fault looks on the wire belongs to misbehave.ts and answer.ts.

export type Fault =
  | {
      readonly type: 'status';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: unknown;
    }
  /** Waits before answering normally. */
  | { readonly type: 'delay'; readonly ms: number }
  /** Never answers, or stops after so many content chunks; the connection stays open. */
  | { readonly type: 'stall'; readonly afterChunks?: number }
  /** Ends the connection (FIN) in the middle of the answer. */
  | { readonly type: 'cut'; readonly afterChunks: number; readonly afterBytes?: never }
  | { readonly type: 'cut'; readonly afterBytes: number; readonly afterChunks?: never }
  /** Resets the connection (RST) before the answer, or after so many content chunks. */
  | { readonly type: 'reset'; readonly afterChunks?: number }
  /** Closes the connection without one byte of an answer. */
  | { readonly type: 'close' }
  /** Sends the head byte by byte, then the normal body. */
  | { readonly type: 'slowHeaders'; readonly intervalMs?: number }
  /** Promises a longer body than it sends, then ends the connection. */
  | { readonly type: 'badLength'; readonly extraBytes?: number }
  /** Answers with bytes that are not HTTP. */
  | { readonly type: 'garbage' };

/** When a rule is looked at: once the head has arrived, or (the default) once the body has. */
export type FaultPhase = 'headers' | 'body';

export interface FaultRule {
  readonly id?: string;
  /** A clientId, or '*' (the default) for all. */
  readonly credential?: string;
  /** A prefix of the path below the base path, for example /v1/messages. */
  readonly path?: string;
  /** The model as the body names it. Never matches in phase 'headers'. */
  readonly model?: string;
  /** How many requests it strikes; unlimited without. */
  readonly times?: number;
  readonly phase?: FaultPhase;
  readonly fault: Fault;
}

export interface FaultTarget {
  readonly clientId: string;
  readonly path: string;
  readonly model: string | null;
  readonly phase: FaultPhase;
}

/** A rule and how often it has struck. */
export type FaultStatus = FaultRule & { readonly struck: number };

export class FaultBook {
  #rules: { readonly rule: FaultRule; struck: number }[] = [];

  replace(rules: readonly FaultRule[]): void {
    this.#rules = rules.map((rule) => ({ rule, struck: 0 }));
  }

  get rules(): FaultStatus[] {
    return this.#rules.map(({ rule, struck }) => ({ ...rule, struck }));
  }

  /** The fault of the first rule that matches and has strikes left; counts the strike. */
  take(target: FaultTarget): Fault | null {
    if (this.#rules.length === 0) return null;
    const found = this.#rules.find(
      ({ rule, struck }) => struck < (rule.times ?? Number.POSITIVE_INFINITY) && matches(rule, target),
    );
    if (found === undefined) return null;
    found.struck += 1;
    return found.rule.fault;
  }
}

function matches(rule: FaultRule, target: FaultTarget): boolean {
  const { credential = '*', path = '', model, phase = 'body' } = rule;
  return (
    phase === target.phase &&
    (credential === '*' || credential === target.clientId) &&
    target.path.startsWith(path) &&
    (model === undefined || model === target.model)
  );
}
