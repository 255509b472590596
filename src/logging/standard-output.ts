// Standard output as an outlet: a terminal, a pipe, the journal. Nobody moves it away.
import type { Outlet } from './line-queue.ts';
import { PendingBytes } from './pending-bytes.ts';

export class StandardOutput implements Outlet {
  // Asking for the stream makes a pipe non-blocking: a reader that stands still then holds up no thread of ours.
  readonly #descriptor: number = process.stdout.fd;
  #pending: PendingBytes = new PendingBytes('');

  write(lines: string): Promise<void> {
    this.#pending = new PendingBytes(lines);
    return this.retry();
  }

  retry(): Promise<void> {
    return this.#pending.writeTo(this.#descriptor);
  }

  async reopen(): Promise<void> {}
}
