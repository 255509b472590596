// How many clients may bring a request in one turn of the loop. A busy worker that reads whatever has come in takes on a
// thousand requests at once, answers them all in the next turn, and so on: each of them, and each timer and stream beside
// them, waits for a thousand others, and all that they hold is in memory at a time, out of the processor's caches and
// alive through V8's young collections. What is not read yet waits in the kernel, where it costs next to nothing.
// HAProxy's tune.maxpollevents is for the same.
import type { Socket } from 'node:net';

/** Fewer clients than this are not held up. */
const MOST_IN_A_TURN = 64;
/**
 * Of those that wait, so many are read from in a turn, less those that go on: fewer than may bring a request, so that
 * those who have begun keep their turn to its end, and few enough that what belongs to them stays in the caches.
 */
const MOST_BEGIN = 24;
/**
 * Unless connections come one turn after the other: libuv accepts one in a turn (since 1.45), so the next one that waits
 * to be accepted waits for all that the turn holds.
 */
const MOST_BESIDE_ARRIVALS = 4;
/**
 * Requests that a client may bring, one after the other, before it has to wait for the others again: its connection is
 * in the caches by then, and to stop reading and to go on takes two calls of epoll_ctl and a lost event.
 */
const MOST_EACH = 8;
/** The larger the crowd, the fewer they are: about as many requests of others lie between two turns of a client. */
const MOST_BETWEEN = 16_000;

/** A client's connection. */
export interface Paced {
  readonly socket: Socket;
  /** Before it has to wait again; the pace's own, 0 to begin with. */
  requestsLeft: number;
  /** It is us who do not read; the pace's own, false to begin with. */
  isHeldBack: boolean;
}

/** Lets the connections of one worker be read from in the order in which they came to wait. */
export class RequestPace {
  readonly #waiting: Paced[] = [];
  /** That may bring a request now. */
  #inTurn = 0;
  #most = MOST_IN_A_TURN;
  #hasArrival = false;
  #hadArrival = false;
  #isScheduled = false;
  #isOver = false;

  /** A connection has been accepted. */
  onArrival(): void {
    if (this.#isOver) return;
    this.#hasArrival = true;
    this.#schedule();
  }

  /** Nothing is under way on a connection: its next request is read now or, when too many others are, in a moment. */
  awaitNext(connection: Paced): void {
    if (this.#isOver) return;
    this.#schedule();
    const isFull = this.#inTurn >= this.#most;
    if (connection.requestsLeft > 0 && !isFull) connection.requestsLeft -= 1;
    else if (isFull || this.#waiting.length > 0) {
      this.#waiting.push(connection);
      connection.isHeldBack = true;
      connection.socket.pause();
      return;
    }
    this.#inTurn += 1;
  }

  /** Everything is read from now on, as it comes. */
  release(): void {
    this.#isOver = true;
    for (const connection of this.#waiting.splice(0)) goOn(connection);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#onTurn());
  }

  #onTurn(): void {
    this.#isScheduled = false;
    this.#most = this.#hasArrival && this.#hadArrival ? MOST_BESIDE_ARRIVALS : MOST_IN_A_TURN;
    this.#hadArrival = this.#hasArrival;
    this.#hasArrival = false;
    const each = Math.min(MOST_EACH, Math.max(1, Math.floor(MOST_BETWEEN / this.#waiting.length)));
    const begin = Math.min(MOST_BEGIN, this.#most);
    const next = this.#waiting.splice(0, Math.max(0, begin - this.#inTurn));
    this.#inTurn = 0;
    for (const connection of next) {
      connection.requestsLeft = each - 1;
      goOn(connection);
    }
    if (next.length > 0 || this.#waiting.length > 0 || this.#hadArrival) this.#schedule();
  }
}

function goOn(connection: Paced): void {
  connection.isHeldBack = false;
  connection.socket.resume();
}
