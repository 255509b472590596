// The record of what reached the upstream: one entry per request, the last 10,000 of them, and the counts.
import type { IncomingMessage } from 'node:http';
import type { Changes } from './changes.ts';

const KEPT_REQUESTS = 10_000;

export type Outcome = 'active' | 'completed' | 'aborted' | 'faulted';
export type HeaderPair = readonly [name: string, value: string];

export interface RequestRecord {
  readonly seq: number;
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly HeaderPair[];
  /** Null until, or unless, the token was accepted. */
  readonly clientId: string | null;
  readonly bodyBytes: number;
  /** Null until the body has arrived whole. */
  readonly bodySha256: string | null;
  readonly model: string | null;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly status: number | null;
  /** Content chunks (or WebSocket messages) handed to the socket so far. */
  readonly chunksSent: number;
  /** The type of the fault rule that matched, whether or not it has struck yet. */
  readonly fault: string | null;
  readonly outcome: Outcome;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
export type RecordChange = Partial<Omit<RequestRecord, 'seq' | 'outcome' | 'endedAt'>>;

export interface Recording {
  readonly record: RequestRecord;
  update(change: RecordChange): void;
  /** The first outcome stays; later calls change nothing. */
  finish(outcome: Exclude<Outcome, 'active'>): void;
}

export class Recorder {
  readonly #changes: Changes;
  readonly #records = new Map<number, RequestRecord>();
  readonly #byCredential = new Map<string, number>();
  #seq = 0;
  #active = 0;

  constructor(changes: Changes) {
    this.#changes = changes;
  }

  /** Opens the record of a request whose head has just arrived. */
  begin(request: IncomingMessage): Recording {
    const record = newRecord(++this.#seq, request);
    this.#keep(record);
    this.#active += 1;
    this.#changes.announce(record);
    return {
      record,
      update: (change) => this.#update(record, change),
      finish: (outcome) => this.#finish(record, outcome),
    };
  }

  get requests(): RequestRecord[] {
    return [...this.#records.values()];
  }

  get active(): number {
    return this.#active;
  }

  /** Requests accepted per clientId since the start or the last `clear`. */
  get byCredential(): Record<string, number> {
    return Object.fromEntries(this.#byCredential);
  }

  clear(): void {
    this.#records.clear();
    this.#byCredential.clear();
  }

  #keep(record: RequestRecord): void {
    this.#records.set(record.seq, record);
    if (this.#records.size <= KEPT_REQUESTS) return;
    const [oldest] = this.#records.keys();
    if (oldest !== undefined) this.#records.delete(oldest);
  }

  #update(record: Writable<RequestRecord>, change: RecordChange): void {
    if (change.clientId != null) {
      this.#byCredential.set(change.clientId, (this.#byCredential.get(change.clientId) ?? 0) + 1);
    }
    Object.assign(record, change);
    this.#changes.announce(record);
  }

  #finish(record: Writable<RequestRecord>, outcome: Outcome): void {
    if (record.outcome !== 'active') return;
    record.outcome = outcome;
    record.endedAt = Date.now();
    this.#active -= 1;
    this.#changes.announce(record);
  }
}

function newRecord(seq: number, request: IncomingMessage): Writable<RequestRecord> {
  return {
    seq,
    method: request.method ?? '',
    url: request.url ?? '',
    rawHeaders: pairs(request.rawHeaders),
    clientId: null,
    bodyBytes: 0,
    bodySha256: null,
    model: null,
    startedAt: Date.now(),
    endedAt: null,
    status: null,
    chunksSent: 0,
    fault: null,
    outcome: 'active',
  };
}

function pairs(flat: readonly string[]): HeaderPair[] {
  const list: HeaderPair[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) list.push([flat[at] ?? '', flat[at + 1] ?? '']);
  return list;
}
