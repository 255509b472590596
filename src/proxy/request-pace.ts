// How many clients may bring their next request in one turn of the loop. A busy worker that read whatever had come in
// would take on a thousand requests at once, answer them all in the next turn, and so on: each request, and each timer
// and stream beside it, would wait for a thousand others, and all that they hold would be in memory at a time, out of
// the processor's caches and alive through V8's young collections. What is not read yet waits in the kernel, which costs
// nothing. HAProxy's tune.maxpollevents is for the same.
import type { Socket } from 'node:net';

/** Fewer clients than this are never held up. */
const MOST_IN_A_TURN = 64;

interface Waiting {
  readonly socket: Socket;
  /** performance.now() */
  readonly since: number;
}

/** Lets the connections of one worker be read from in the order in which they were last answered. */
export class RequestPace {
  readonly #onWaited: (ms: number) => void;
  readonly #waiting: Waiting[] = [];
  #inTurn = 0;
  #isScheduled = false;
  #isOver = false;

  /** @param onWaited is told, while connections wait, how long the first of them has waited; milliseconds */
  constructor(onWaited: (ms: number) => void) {
    this.#onWaited = onWaited;
  }

  /** Nothing more is under way on a connection: its next request is read now or, when too many others are, in a moment. */
  awaitNext(socket: Socket): void {
    if (this.#isOver) return;
    this.#schedule();
    if (this.#inTurn < MOST_IN_A_TURN) this.#inTurn += 1;
    else {
      socket.pause();
      this.#waiting.push({ socket, since: performance.now() });
    }
  }

  /** Everything is read from now on, as it comes. */
  release(): void {
    this.#isOver = true;
    for (const { socket } of this.#waiting.splice(0)) socket.resume();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#onTurn());
  }

  #onTurn(): void {
    this.#isScheduled = false;
    const next = this.#waiting.splice(0, MOST_IN_A_TURN);
    this.#inTurn = next.length;
    const first = next[0];
    if (first === undefined) return;
    this.#onWaited(performance.now() - first.since);
    for (const { socket } of next) socket.resume();
    this.#schedule();
  }
}
