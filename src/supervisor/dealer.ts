// Which worker gets a new connection: the one that has fewest, as HAProxy's `leastconn` does it. node:cluster's round
// robin gives the next one to whoever was quicker to take the last: of four that come at once, one worker in two then
// has three, for as long as they last.
import type { Worker } from 'node:cluster';
import { Handoffs, type Offer } from './handoffs.ts';

/**
 * For how long a connection waits for a worker to take another one first. One that takes longer than this is busy, or
 * hangs, and has no claim to more.
 */
const PATIENCE_MS = 200;

interface Hand {
  readonly handoffs: Handoffs;
  /** It serves and is to go on serving. */
  readonly isTaking: () => boolean;
  /** Connections it was sent and has not closed, as far as it has said. */
  open: number;
  /** When it got its latest one, in connections of the whole service. */
  turn: number;
}

interface Held {
  readonly offer: Offer;
  readonly nominal: Handoffs;
}

/** Deals the connections of one service out to its workers. */
export class Dealer {
  readonly #hands = new Map<Worker, Hand>();
  #held: Held[] = [];
  #turns = 0;
  #timer: NodeJS.Timeout | null = null;

  /** @param isTaking whether the worker is to get connections now */
  add(worker: Worker, isTaking: () => boolean): void {
    const handoffs = new Handoffs(worker, {
      onOffer: (offer, nominal) => this.#deal({ offer, nominal }),
      onAnswer: (from, hasTaken) => this.#onAnswer(from.worker, hasTaken),
    });
    this.#hands.set(worker, { handoffs, isTaking, open: 0, turn: 0 });
  }

  /** A worker says how many of its connections have closed since it last said so. */
  onClosed(worker: Worker, count: number): void {
    const hand = this.#hands.get(worker);
    if (hand !== undefined) hand.open = Math.max(0, hand.open - count);
  }

  /** The process and its channel are gone; others get what it had not taken, or nobody does. */
  remove(worker: Worker): void {
    const hand = this.#hands.get(worker);
    this.#hands.delete(worker);
    const hasOthers = [...this.#hands.values()].some(
      ({ isTaking, handoffs }) => isTaking() && handoffs.worker.isConnected(),
    );
    hand?.handoffs.giveBack(hasOthers);
    this.#dealHeld();
  }

  #onAnswer(worker: Worker, hasTaken: boolean): void {
    if (!hasTaken) this.onClosed(worker, 1);
    this.#dealHeld();
  }

  #dealHeld(): void {
    if (this.#held.length === 0) return;
    const held = this.#held;
    this.#held = [];
    for (const each of held) this.#deal(each);
  }

  /** May come early for those that are held now; they are then held again. */
  #onImpatience(): void {
    this.#timer = null;
    this.#dealHeld();
  }

  #deal(held: Held): void {
    const { offer, nominal } = held;
    const now = performance.now();
    const hand = this.#choose(offer.key, now);
    if (hand === null) {
      // None is wanted to take any: node:cluster's own choice still may, while it has not closed.
      const own = this.#hands.get(nominal.worker);
      if (own !== undefined && nominal.worker.isConnected()) this.#give(own, offer);
      else offer.handle.close();
      return;
    }
    const waited = hand.handoffs.waitedFor(now);
    if (waited !== null && waited < PATIENCE_MS) {
      this.#held.push(held);
      this.#timer ??= setTimeout(() => this.#onImpatience(), Math.ceil(PATIENCE_MS - waited));
      return;
    }
    this.#give(hand, offer);
  }

  #give(hand: Hand, offer: Offer): void {
    this.#turns += 1;
    hand.open += 1;
    hand.turn = this.#turns;
    hand.handoffs.send(offer);
  }

  /** Those that hang come last; else the one with fewest connections, then the one whose turn is longest ago. */
  #choose(key: string, now: number): Hand | null {
    let best: Hand | null = null;
    let isBestLate = false;
    for (const hand of this.#hands.values()) {
      if (!hand.isTaking() || !hand.handoffs.listensOn(key)) continue;
      const isLate = (hand.handoffs.waitedFor(now) ?? 0) >= PATIENCE_MS;
      if (best === null || (isLate === isBestLate ? hasLess(hand, best) : isBestLate)) {
        best = hand;
        isBestLate = isLate;
      }
    }
    return best;
  }
}

function hasLess(hand: Hand, than: Hand): boolean {
  return hand.open === than.open ? hand.turn < than.turn : hand.open < than.open;
}
