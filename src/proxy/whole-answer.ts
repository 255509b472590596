// Answers that have come as a whole, sent in one write: the bytes are those that node:http would send, without its steps
// for answers that come in parts, which cost a twentieth of an exchange. For that it leaves documented ground at one
// point, the two fields below.
import type { ServerResponse } from 'node:http';

/** What an answer begins with. */
export interface AnswerStart {
  readonly status: number;
  readonly statusText: string;
  /** Flat list of names and values, checked, latin1; without any about the connection. */
  readonly headers: string[];
  /** Whether they have a Date; node would add one. */
  readonly hasDate: boolean;
}

/** What tells ServerResponse#end that the head is out: there in all of Node's versions, and `headersSent` goes by it. */
interface SentHead {
  _header: string;
  _headerSent: boolean;
}

export class WholeAnswers {
  /** How each of them tells that the connection is kept. */
  readonly #headEnd: string;

  /** @param keepAliveTimeoutMs the server's, a second at least */
  constructor(keepAliveTimeoutMs: number) {
    const seconds = Math.floor(keepAliveTimeoutMs / 1000);
    this.#headEnd = `Connection: keep-alive\r\nKeep-Alive: timeout=${seconds}\r\n\r\n`;
  }

  /**
   * Sends an answer and ends the response.
   * @param body latin1, as long as its Content-Length says
   * @returns false when this one is not for here, and nothing has been sent: node adds its Date, it has to wait for
   * another answer, or it is the last one on its connection
   */
  send(
    response: ServerResponse,
    { status, statusText, headers, hasDate }: AnswerStart,
    body: string,
  ): boolean {
    const { socket } = response;
    if (!hasDate || !response.shouldKeepAlive || socket === null || !socket.writable) return false;
    let head = `HTTP/1.1 ${status} ${statusText}\r\n`;
    for (let i = 0; i + 1 < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
    head += this.#headEnd;
    response.statusCode = status;
    markSent(response, head);
    socket.write(head + body, 'latin1');
    response.end();
    return true;
  }
}

function markSent(response: ServerResponse & Partial<SentHead>, head: string): void {
  response._header = head;
  response._headerSent = true;
}
