// Connections that node:cluster has sent to a worker and that it has not taken yet. When the worker is killed before
// it does, Node forgets them, and their clients wait for ever; here they go to another worker. Node's own words for
// this are internal and known only here: should they change, all is as if this file were not there.
// See lib/internal/cluster/round_robin_handle.js (handoff) and utils.js (sendHelper) of Node.
import type { Worker } from 'node:cluster';

/** A connection that has no JavaScript object yet. */
interface Handle {
  close(): void;
}

interface ClusterMessage {
  readonly cmd: 'NODE_CLUSTER';
  readonly act?: unknown;
  readonly seq?: unknown;
  readonly ack?: unknown;
}

/** Those of one worker; Node sends it one at a time for each address. */
export class Handoffs {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Handle>();

  constructor(worker: Worker) {
    this.#worker = worker;
    const { process: child } = worker;
    const onSent = (message: unknown, handle: unknown): void => this.#onSent(message, handle);
    child.send = new Proxy(child.send, {
      apply: (send, self, parameters: unknown[]) => {
        onSent(parameters[0], parameters[1]);
        return Reflect.apply(send, self, parameters);
      },
    });
    child.on('internalMessage', (message: unknown) => {
      if (isClusterMessage(message) && typeof message.ack === 'number') this.#pending.delete(message.ack);
    });
  }

  /**
   * The process and its channel are gone.
   * @param hasOthers whether another worker can take what this one did not; else the connections are closed
   */
  giveBack(hasOthers: boolean): void {
    for (const [ack, handle] of this.#pending) {
      // What a worker says that does not take a connection: Node sends it to the next one.
      if (hasOthers)
        this.#worker.process.emit('internalMessage', { cmd: 'NODE_CLUSTER', ack, accepted: false });
      else handle.close();
    }
    this.#pending.clear();
  }

  #onSent(message: unknown, handle: unknown): void {
    if (!isClusterMessage(message) || message.act !== 'newconn' || typeof message.seq !== 'number') return;
    if (isHandle(handle)) this.#pending.set(message.seq, handle);
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
