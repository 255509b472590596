// Makes new connections cheaper on Node 20. Its V8 gives each copy of an options object a hidden class of its own, as
// long as the place that copies has seen few kinds of them; with that, every look at an option is a slow one, thirty
// for each socket. A place that has seen many kinds copies in another way, which has no such fault. Node's Socket is
// such a place. Newer V8 copies well in either way. See "New connections" in docs/performance.md.
import net from 'node:net';

const AFFECTED = 'v20.';
/** V8 counts five kinds as many, once it has begun to take notes of a function that runs often. */
const ROUNDS = 8;

/** To be called before the first connection; takes a few milliseconds. */
export function showSocketOptions(): void {
  if (!process.version.startsWith(AFFECTED)) return;
  for (let round = 0; round < ROUNDS; round += 1) {
    new net.Socket({ allowHalfOpen: false }).destroy();
    new net.Socket({ readable: false }).destroy();
    new net.Socket({ writable: false }).destroy();
    new net.Socket({ readable: false, writable: false }).destroy();
    new net.Socket({ writable: false, allowHalfOpen: false }).destroy();
  }
}
