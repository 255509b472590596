// The open connections to the upstream: the one used last is used next, a new one is opened when all are busy, and
// idle ones are closed before the upstream does it.
import type { RequestMessage } from './request-message.ts';
import { NOT_TICKING, type Ticker, type Ticking } from './ticker.ts';
import {
  ConnectionError,
  type ConnectionKeeper,
  type RequestListener,
  UpstreamConnection,
} from './upstream-connection.ts';
import type { Connector, ConnectTarget } from './upstream-connector.ts';

export interface ConnectionsOptions {
  /** `scheme://host:port`. */
  readonly origin: string;
  readonly connect: Connector;
  readonly idleMs: number;
  readonly ticker: Ticker;
}

/** A request on its way, also before it has a connection. */
export interface PendingRequest {
  /** Gives it up; its listener hears nothing more. */
  abort(): void;
  resume(): void;
  /** Whether any of it may have been sent. */
  readonly wasSent: boolean;
  checkSilence(now: number, firstByteMs: number, idleMs: number): void;
}

/** Unbounded on purpose: each stream holds a connection for minutes, and a bound would queue requests behind them. */
export class UpstreamConnections implements ConnectionKeeper, Ticking {
  readonly #options: ConnectionsOptions;
  readonly #target: ConnectTarget;
  readonly #host: string;
  /** The latest at the end. */
  #idle: UpstreamConnection[] = [];
  #busy = 0;
  /** What goes out over connections that were used before, once this turn is over. */
  readonly #reusing: Sending[] = [];
  tickerPlace: number = NOT_TICKING;
  #isClosing = false;
  #onEmpty: () => void = () => {};

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    const { host, hostname, port, protocol } = new URL(options.origin);
    this.#host = host;
    this.#target = { hostname: hostname.replace(/^\[(.*)\]$/, '$1'), port, protocol };
  }

  /** Sends a request over the first connection to be had. */
  send(message: RequestMessage, listener: RequestListener): PendingRequest {
    return new Sending(message, listener, this);
  }

  /** An idle connection; undefined when there is none. It counts as busy from here on. */
  take(): UpstreamConnection | undefined {
    const now = performance.now();
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined) return undefined;
      this.#busy += 1;
      if (connection.isUsable(now)) return connection;
      connection.abort();
    }
  }

  /** Opens another one, busy from the beginning. */
  open(onOpened: (connection: UpstreamConnection) => void, onFailed: (cause: Error) => void): void {
    let connection: UpstreamConnection | undefined;
    let hasSpokenFirst = false;
    const onBytes = (bytes: Buffer): void => {
      if (connection === undefined) hasSpokenFirst = true;
      else connection.receive(bytes);
    };
    this.#options.connect({ ...this.#target, onBytes }, (cause, socket) => {
      if (cause !== null) onFailed(cause);
      else if (hasSpokenFirst) {
        socket.destroy();
        onFailed(new ConnectionError('HPE_INVALID_CONSTANT', 'bytes that nobody has asked for'));
      } else {
        connection = new UpstreamConnection(socket, this.#host, this.#options.idleMs, this);
        this.#busy += 1;
        onOpened(connection);
      }
    });
  }

  /**
   * A connection is not used again before this turn of the loop has read what lies on it: the upstream's close, or bytes
   * of an answer that nobody has asked for, which must not be taken for the next one's.
   */
  afterReads(sending: Sending): void {
    if (this.#reusing.push(sending) > 1) return;
    setImmediate(() => {
      for (const each of this.#reusing.splice(0)) each.onReads();
    });
  }

  onIdle(connection: UpstreamConnection): void {
    this.#busy -= 1;
    this.#idle.push(connection);
    if (this.#isClosing) connection.abort();
    else if (this.#idle.length === 1) this.#options.ticker.add(this);
  }

  onGone(connection: UpstreamConnection): void {
    const place = this.#idle.indexOf(connection);
    if (place >= 0) this.#idle.splice(place, 1);
    else this.#busy -= 1;
    if (this.#isClosing && this.#busy === 0) this.#onEmpty();
  }

  onTick(now: number): void {
    for (const connection of [...this.#idle]) if (!connection.isUsable(now)) connection.abort();
    if (this.#idle.length === 0) this.#options.ticker.delete(this);
  }

  /** Closes idle connections now and busy ones when their exchange ends. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const connection of [...this.#idle]) connection.abort();
    this.#options.ticker.delete(this);
    if (this.#busy === 0) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
  }
}

/** A request that looks for its connection. */
class Sending implements PendingRequest {
  readonly #message: RequestMessage;
  readonly #listener: RequestListener;
  readonly #connections: UpstreamConnections;
  #connection: UpstreamConnection | null = null;
  #isOver = false;
  wasSent = false;

  constructor(message: RequestMessage, listener: RequestListener, connections: UpstreamConnections) {
    this.#message = message;
    this.#listener = listener;
    this.#connections = connections;
    const idle = connections.take();
    if (idle === undefined) this.#open();
    else this.#reuse(idle);
  }

  abort(): void {
    this.#isOver = true;
    const { body } = this.#message;
    if (this.#connection !== null && this.wasSent) this.#connection.abort();
    else if (body.type === 'stream') body.stream.destroy();
  }

  resume(): void {
    this.#connection?.resume();
  }

  checkSilence(now: number, firstByteMs: number, idleMs: number): void {
    if (this.wasSent) this.#connection?.checkSilence(now, firstByteMs, idleMs);
  }

  #reuse(connection: UpstreamConnection): void {
    this.#connection = connection;
    this.#connections.afterReads(this);
  }

  /** What lay on the connection has been read. */
  onReads(): void {
    const connection = this.#connection;
    if (connection === null) return;
    if (this.#isOver) {
      if (connection.isOpen) this.#connections.onIdle(connection);
    } else if (connection.isOpen) this.#send(connection);
    else {
      this.#connection = null;
      this.#open();
    }
  }

  #open(): void {
    this.#connections.open(
      (connection) => {
        if (this.#isOver) connection.abort();
        else this.#send(connection);
      },
      (cause) => {
        if (!this.#isOver) this.#fail(cause);
      },
    );
  }

  #send(connection: UpstreamConnection): void {
    this.#connection = connection;
    this.wasSent = true;
    try {
      connection.send(this.#message, this.#listener);
    } catch (cause) {
      connection.abort();
      this.#fail(cause instanceof Error ? cause : new Error(String(cause)));
    }
  }

  #fail(cause: Error): void {
    const { body } = this.#message;
    if (body.type === 'stream') body.stream.destroy();
    this.#listener.onFailure(cause);
  }
}
