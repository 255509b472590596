// Keeps process.nextTick as quick as it was when the process was young. It makes an object with computed names for each
// tick, and V8 remembers that object's hidden class weakly: a full garbage collection in a quiet moment, with no tick
// waiting, takes the class away, V8 counts the next one as a second kind, and from then on, for as long as the process
// lives, each tick goes through the runtime: four times the cost, ten ticks a request. A tick that is kept keeps the
// class. Node 20 to 26 need it. See "After a quiet moment" in docs/performance.md.
import { executionAsyncResource } from 'node:async_hooks';

const kept: object[] = [];

/** To be called once, early in the process. */
export function keepTickShape(): void {
  // A tick's own object is what Node takes for the resource of its callback.
  process.nextTick(() => kept.push(executionAsyncResource()));
}
