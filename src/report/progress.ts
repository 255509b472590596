// A bar on a terminal's standard error; nothing elsewhere.

const WIDTH = 40;

export interface Terminal {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Shows a share from 0 to 1 and takes the bar away at the end. */
export class ProgressBar {
  readonly #terminal: Terminal;
  #shown = -1;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show(share: number): void {
    const percent = Math.floor(share * 100);
    if (this.#terminal.isTTY !== true || percent === this.#shown) return;
    this.#shown = percent;
    const bar = '█'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '░');
    this.#terminal.write(`\r${bar} ${String(percent).padStart(3)} %`);
  }

  clear(): void {
    if (this.#shown >= 0) this.#terminal.write(`\r${' '.repeat(WIDTH + 6)}\r`);
    this.#shown = -1;
  }
}
