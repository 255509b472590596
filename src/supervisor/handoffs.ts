// What node:cluster says to a worker and hears of it when it hands a connection over. Node's own words for this are
// internal and known only here: should they change, all is as if this file were not there, and node:cluster deals
// connections out in its own way. See lib/internal/cluster/round_robin_handle.js (handoff) and utils.js (sendHelper,
// internal) of Node: an answer finds its question by number, whoever gives it.
import type { Worker } from 'node:cluster';

/** A connection that has no JavaScript object yet. */
interface Handle {
  close(): void;
}

interface ClusterMessage {
  readonly cmd: 'NODE_CLUSTER';
  readonly act?: unknown;
  readonly key?: unknown;
  readonly seq?: unknown;
  readonly ack?: unknown;
  readonly accepted?: unknown;
}

/** A connection that node:cluster is about to hand to a worker. */
export interface Offer {
  /** Of the address it came in on. */
  readonly key: string;
  readonly number: number;
  readonly handle: Handle;
  /** As they go to the channel. */
  readonly parameters: unknown[];
}

export interface HandoffListener {
  /** Node would have sent this to this worker. */
  onOffer(offer: Offer, to: Handoffs): void;
  /** The worker has taken, or not taken, what it was sent. */
  onAnswer(from: Handoffs, hasTaken: boolean): void;
}

/** The connections that one worker was sent and that it has not taken yet. */
export class Handoffs {
  readonly worker: Worker;
  readonly #pass: (parameters: unknown[]) => unknown;
  readonly #listener: HandoffListener;
  /** The addresses it listens on. */
  readonly #keys = new Set<string>();
  readonly #pending = new Map<number, Offer>();
  #lastSentAt = 0;

  constructor(worker: Worker, listener: HandoffListener) {
    this.worker = worker;
    this.#listener = listener;
    const { process: child } = worker;
    const { send } = child;
    this.#pass = (parameters) => Reflect.apply(send, child, parameters);
    const onSend = (parameters: unknown[]): unknown => this.#onSend(parameters);
    child.send = new Proxy(send, { apply: (_send, _self, parameters: unknown[]) => onSend(parameters) });
    // Before node:cluster, which hands the next one over when it hears of this one.
    child.prependListener('internalMessage', (message: unknown) => this.#onMessage(message));
  }

  listensOn(key: string): boolean {
    return this.#keys.has(key) && this.worker.isConnected();
  }

  /** For how long it has not answered, in milliseconds; null when it owes no answer. */
  waitedFor(now: number): number | null {
    return this.#pending.size === 0 ? null : now - this.#lastSentAt;
  }

  /** Sends a connection to this worker, whoever it was offered to. */
  send(offer: Offer): void {
    this.#pending.set(offer.number, offer);
    this.#lastSentAt = performance.now();
    this.#pass(offer.parameters);
  }

  /**
   * The process and its channel are gone. Node forgets what it had not taken, and the clients would wait for ever.
   * @param hasOthers whether another worker can take what this one did not; else the connections are closed
   */
  giveBack(hasOthers: boolean): void {
    for (const [ack, { handle }] of this.#pending) {
      // What a worker says that does not take a connection: Node offers it to the next one.
      if (hasOthers)
        this.worker.process.emit('internalMessage', { cmd: 'NODE_CLUSTER', ack, accepted: false });
      else handle.close();
    }
    this.#pending.clear();
  }

  #onSend(parameters: unknown[]): unknown {
    const [message, handle] = parameters;
    if (!isClusterMessage(message) || typeof message.key !== 'string') return this.#pass(parameters);
    const { act, key, seq } = message;
    if (act === 'newconn' && typeof seq === 'number' && isHandle(handle)) {
      this.#listener.onOffer({ key, number: seq, handle, parameters }, this);
      return true;
    }
    // It is told the key when it begins to listen.
    this.#keys.add(key);
    return this.#pass(parameters);
  }

  #onMessage(message: unknown): void {
    if (!isClusterMessage(message)) return;
    if (message.act === 'close' && typeof message.key === 'string') this.#keys.delete(message.key);
    const offer = typeof message.ack === 'number' ? this.#pending.get(message.ack) : undefined;
    if (offer === undefined) return;
    this.#pending.delete(offer.number);
    const hasTaken = message.accepted === true;
    // It has stopped listening, and will say so in a moment.
    if (!hasTaken) this.#keys.delete(offer.key);
    this.#listener.onAnswer(this, hasTaken);
  }
}

function isClusterMessage(message: unknown): message is ClusterMessage {
  return (
    typeof message === 'object' && message !== null && 'cmd' in message && message.cmd === 'NODE_CLUSTER'
  );
}

function isHandle(handle: unknown): handle is Handle {
  return (
    typeof handle === 'object' && handle !== null && 'close' in handle && typeof handle.close === 'function'
  );
}
