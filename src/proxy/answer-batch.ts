// What clients are sent in one turn of the loop goes out together, once everything is read that has come in. Writing to a
// client wakes its process, which costs the kernel more than the write itself; one that is awake is not woken again. And
// what node does behind each answer is done for all of them, one after the other.

/** An answer, or a part of one, that is ready to go out. */
export interface ReadyAnswer {
  /** Writes it; throws nothing. */
  goOut(): void;
}

/** So that the first of many does not wait for the last of them. */
const MOST = 64;

/** The answers of one worker that are ready in this turn of its loop. */
export class AnswerBatch {
  #ready: ReadyAnswer[] = [];
  #isScheduled = false;

  /** Goes out before this turn of the loop is over, in the order of these calls. */
  add(answer: ReadyAnswer): void {
    this.#ready.push(answer);
    if (this.#ready.length >= MOST) this.#sendAll();
    else if (!this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(() => {
        this.#isScheduled = false;
        this.#sendAll();
      });
    }
  }

  #sendAll(): void {
    const ready = this.#ready;
    this.#ready = [];
    for (const answer of ready) answer.goOut();
  }
}
