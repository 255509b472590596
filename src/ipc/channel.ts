// Carries messages over node:cluster's IPC channel. A peer that is gone is no error: what it was told no longer matters.
import cluster, { type Worker } from 'node:cluster';
import type { ToPrimary, ToWorker } from './messages.ts';

/** The worker's end of the channel. */
export interface PrimaryChannel {
  send(message: ToPrimary): void;
  onMessage(listener: (message: ToWorker) => void): void;
  /** Called once when the primary is gone. */
  onDisconnect(listener: () => void): void;
}

/** Sends to a worker, if it is still there. */
export function sendToWorker(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message, ignoreFailure);
}

/** Listens to a worker's messages; what is not a message of ours is passed over. */
export function onWorkerMessage(worker: Worker, listener: (message: ToPrimary) => void): void {
  worker.on('message', (message: unknown) => {
    if (isTyped<ToPrimary>(message)) listener(message);
  });
}

/** The channel of this process to its primary; throws in a process that no cluster primary has forked. */
export function openPrimaryChannel(): PrimaryChannel {
  const send = process.send?.bind(process);
  if (send === undefined || cluster.worker === undefined) {
    throw new Error('this file runs only as a worker of flow-proxy');
  }
  // node:cluster would end this process the moment the channel closes, with all its exchanges; we drain instead.
  cluster.worker.exitedAfterDisconnect = true;
  return {
    send: (message) => {
      if (process.connected) send(message, undefined, undefined, ignoreFailure);
    },
    onMessage: (listener) => {
      process.on('message', (message) => {
        if (isTyped<ToWorker>(message)) listener(message);
      });
    },
    onDisconnect: (listener) => process.once('disconnect', listener),
  };
}

function isTyped<T extends { type: string }>(message: unknown): message is T {
  return (
    typeof message === 'object' && message !== null && 'type' in message && typeof message.type === 'string'
  );
}

/** The channel closed between the check and the write. */
function ignoreFailure(): void {}
