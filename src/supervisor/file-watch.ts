// Notices that a file is another one than before by looking at it every second. Unlike inotify that sees atomic
// renames, the symbolic links that Kubernetes swaps, and network file systems.
import { stat } from 'node:fs/promises';

const LOOK_EVERY_MS = 1_000;

/** Looks until it is stopped; does not keep the process alive. */
export class FileWatch {
  readonly #path: string;
  readonly #onChange: () => void;
  readonly #timer: NodeJS.Timeout;
  #seen: string | null = null;
  #isLooking = false;

  /** @param onChange also called once at the beginning, for a change since the file was read before that */
  constructor(path: string, onChange: () => void, everyMs: number = LOOK_EVERY_MS) {
    this.#path = path;
    this.#onChange = onChange;
    this.#timer = setInterval(() => void this.#look(), everyMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const now = await fingerprint(this.#path);
    this.#isLooking = false;
    if (now === this.#seen) return;
    this.#seen = now;
    this.#onChange();
  }
}

async function fingerprint(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch {
    return 'absent';
  }
}
