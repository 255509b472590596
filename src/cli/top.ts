// `flow-proxy top`: the running service live in a terminal, until q or Ctrl-C. What is drawn is top-screen.ts's.
import { once } from 'node:events';
import { askService, NotRunningError } from '../control/client.ts';
import { isLiveStatus, type LiveStatus } from '../control/live.ts';
import { messageOf } from '../errors.ts';
import type { CommandLine } from './prepare.ts';
import { socketsOf } from './service-commands.ts';
import { drawTop } from './top-screen.ts';

const EVERY_MS = 2_000;
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_REST = '\u001b[J';
const CTRL_C = '\u0003';

/**
 * @returns 0 when it was left, 1 when there is no terminal
 * @throws NotRunningError, ControlError when there is nothing to watch at the beginning
 */
export async function top(commandLine: CommandLine): Promise<number> {
  const sockets = socketsOf(commandLine);
  if (!process.stdout.isTTY || !process.stdin.isTTY) {
    console.error(
      'flow-proxy: top needs a terminal; `flow-proxy status` prints one screen, --json for machines',
    );
    return 1;
  }
  const first = await ask(sockets);
  const screen = new Screen(first);
  const left = screen.open();
  const timer = setInterval(() => void refresh(sockets, screen), EVERY_MS);
  try {
    await left;
  } finally {
    clearInterval(timer);
    screen.close();
  }
  return 0;
}

async function ask(sockets: readonly string[]): Promise<LiveStatus> {
  const report = await askService(sockets, 'live');
  if (isLiveStatus(report)) return report;
  throw new NotRunningError('the running service is of another version, which does not know live figures');
}

/** A service that is away, such as during a restart, is waited for. */
async function refresh(sockets: readonly string[], screen: Screen): Promise<void> {
  try {
    screen.show(await ask(sockets), null);
  } catch (cause) {
    screen.show(null, messageOf(cause));
  }
}

/** The terminal: taken over whole, and given back as it was, whatever happens. */
class Screen {
  #latest: LiveStatus;
  #trouble: string | null = null;
  readonly #giveBack = (): void => this.close();
  #isOpen = false;

  constructor(latest: LiveStatus) {
    this.#latest = latest;
  }

  /** Resolves when somebody wants to leave. */
  async open(): Promise<void> {
    this.#isOpen = true;
    process.once('exit', this.#giveBack);
    process.stdin.setRawMode(true).setEncoding('utf8').resume();
    process.stdout.write(ENTER);
    process.stdout.on('resize', () => this.#draw());
    this.#draw();
    const leaving = new AbortController();
    const { signal } = leaving;
    const wishes = [
      ...['SIGTERM', 'SIGINT', 'SIGHUP'].map((name) => once(process, name, { signal })),
      once(process.stdin, 'end', { signal }),
      this.#keyToLeave(signal),
    ];
    await Promise.race(wishes);
    for (const wish of wishes) wish.catch(() => {});
    leaving.abort();
  }

  show(status: LiveStatus | null, trouble: string | null): void {
    this.#latest = status ?? this.#latest;
    this.#trouble = trouble;
    this.#draw();
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    process.off('exit', this.#giveBack);
    process.stdout.write(LEAVE);
    process.stdin.setRawMode(false).pause();
  }

  async #keyToLeave(signal: AbortSignal): Promise<void> {
    for (;;) {
      const [keys] = await once(process.stdin, 'data', { signal });
      if (['q', 'Q', CTRL_C].some((key) => String(keys).includes(key))) return;
    }
  }

  #draw(): void {
    if (!this.#isOpen) return;
    const { columns, rows } = process.stdout;
    const lines = drawTop(this.#latest, this.#trouble, { columns, rows });
    process.stdout.write(`${HOME}${lines.map((line) => `${line}${CLEAR_LINE}`).join('\r\n')}${CLEAR_REST}`);
  }
}
