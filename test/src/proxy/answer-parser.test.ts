import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AnswerHead } from '../../../src/proxy/answer-head.ts';
import { AnswerParser } from '../../../src/proxy/answer-parser.ts';

interface Heard {
  readonly heads: AnswerHead[];
  readonly ends: boolean[];
  body: string;
}

function parserFor(method = 'GET'): { readonly parser: AnswerParser; readonly heard: Heard } {
  const heard: Heard = { heads: [], ends: [], body: '' };
  const parser = new AnswerParser({
    onHead: (head) => heard.heads.push(head),
    onBody: (chunk) => {
      heard.body += chunk.toString('latin1');
    },
    onEnd: (isReusable) => heard.ends.push(isReusable),
  });
  parser.expect(method);
  return { parser, heard };
}

function parse(text: string, method = 'GET'): Heard {
  const { parser, heard } = parserFor(method);
  parser.push(Buffer.from(text, 'latin1'));
  return heard;
}

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

describe('the answers of an upstream', () => {
  it('keep values to the last byte: only spaces and tabs around them are none of theirs', () => {
    const [head] = parse(
      'HTTP/1.1 204 No Content\r\nX-Title: \t voil\xc3\xa0 \t\r\nX-Empty: \t \r\n\r\n',
    ).heads;
    assert.deepEqual(head?.headers, ['X-Title', 'voil\xc3\xa0', 'X-Empty', '']);
  });

  it('are the same however their bytes are cut', () => {
    const texts = [
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Odd:  caf\xe9 \r\n\r\nhello',
      `${CHUNKED}5;a=b\r\nhel\r\n\r\nA\r\n0123456789\r\n0\r\nX-Trailer: 1\r\n\r\n`,
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno',
    ];
    for (const text of texts) {
      const whole = parse(text);
      assert.deepEqual(whole.ends, [true], text);
      for (let size = 1; size < text.length; size += 1) {
        const { parser, heard } = parserFor();
        for (let at = 0; at < text.length; at += size)
          parser.push(Buffer.from(text.slice(at, at + size), 'latin1'));
        assert.deepEqual(heard, whole, `cut every ${size} bytes`);
      }
    }
  });

  it('keep the order and the spelling of their headers, but not the space around values', () => {
    const { heads } = parse('HTTP/1.1 200 \r\nSet-Cookie: a\r\nset-cookie:\tb \r\nContent-Length: 0\r\n\r\n');
    assert.deepEqual(heads[0]?.headers, ['Set-Cookie', 'a', 'set-cookie', 'b', 'Content-Length', '0']);
    assert.equal(heads[0]?.statusText, '');
  });

  it('have no body after HEAD, with 204 and with 304, whatever length they tell', () => {
    const length = 'Content-Length: 5\r\n\r\n';
    assert.deepEqual(parse(`HTTP/1.1 200 OK\r\n${length}`, 'HEAD').ends, [true]);
    assert.deepEqual(parse(`HTTP/1.1 204 No Content\r\n${length}`).ends, [true]);
    assert.deepEqual(parse(`HTTP/1.1 304 Not Modified\r\n${length}`).ends, [true]);
  });

  it('leave no connection to be used again that says so, or that ends them', () => {
    assert.deepEqual(parse('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n').ends, [
      false,
    ]);
    assert.deepEqual(parse('HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n').ends, [false]);
    assert.deepEqual(parse('HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n').ends, [
      true,
    ]);
    const { parser, heard } = parserFor();
    parser.push(Buffer.from('HTTP/1.1 200 OK\r\n\r\nup to the end'));
    assert.deepEqual(heard.ends, []);
    assert.equal(parser.finish(), true);
    assert.deepEqual([heard.body, heard.ends], ['up to the end', [false]]);
  });

  it('are cut short when the connection ends before they do', () => {
    for (const text of [
      'HTTP/1.1 200 OK\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf',
      `${CHUNKED}5\r\nhe`,
    ]) {
      const { parser, heard } = parserFor();
      parser.push(Buffer.from(text));
      assert.equal(parser.finish(), false, text);
      assert.deepEqual(heard.ends, []);
    }
  });
});

describe('what can be framed in two ways, or is no HTTP, is refused', () => {
  const head = (lines: string): string => `HTTP/1.1 200 OK\r\n${lines}\r\n\r\n`;
  const refused: Readonly<Record<string, string>> = {
    'two lengths': head('Content-Length: 5\r\nContent-Length: 5'),
    'a length that is none': head('Content-Length: 5, 5'),
    'a signed length': head('Content-Length: +5'),
    'a length and chunks': head('Transfer-Encoding: chunked\r\nContent-Length: 5'),
    'another coding': head('Transfer-Encoding: gzip, chunked'),
    'chunked twice': head('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'),
    'a space before the colon': head('Content-Length : 5'),
    'a folded header': head('X-A: 1\r\n Content-Length: 5'),
    'a bare line feed in a header': head('X-A: 1\nContent-Length: 5'),
    'a bare carriage return in a header': head('X-A: 1\rX-B: 2'),
    'a header without a name': head(': 5'),
    'a line without a colon': head('Content-Length'),
    'a zero byte': head('X-A: \0'),
    'another protocol': 'SSH-2.0-OpenSSH\r\n',
    'HTTP/2': 'HTTP/2.0 200 OK\r\n\r\n',
    'a status of two digits': 'HTTP/1.1 20 OK\r\n\r\n',
    'an upgrade nobody asked for': 'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    'a chunk without a size': `${CHUNKED}\r\n`,
    'a chunk with a sign': `${CHUNKED}+5\r\nhello\r\n`,
    'a chunk in another base': `${CHUNKED}0x5\r\nhello\r\n`,
    'a chunk longer than its size': `${CHUNKED}2\r\nhello\r\n0\r\n\r\n`,
    'a bare line feed after a size': `${CHUNKED}5\nhello\r\n0\r\n\r\n`,
    'a trailer that is none': `${CHUNKED}0\r\nno colon\r\n\r\n`,
    'bytes after the end': `${head('Content-Length: 2')}no, more`,
    'an answer to no request': `${head('Content-Length: 0')}${head('Content-Length: 0')}`,
  };
  for (const [what, text] of Object.entries(refused)) {
    it(what, () => {
      assert.throws(() => parse(text), { code: /^HPE_/ });
    });
  }

  it('a head, a size or a trailer without end', () => {
    const endless = `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(20_000)}`;
    assert.throws(() => parse(endless), { code: 'UND_ERR_HEADERS_OVERFLOW' });
    assert.throws(() => parse(`${endless}\r\n\r\n`), { code: 'UND_ERR_HEADERS_OVERFLOW' });
    assert.throws(() => parse(`${CHUNKED}5;${'a'.repeat(5_000)}`), { code: 'HPE_INVALID_CHUNK_SIZE' });
    const trailers = `${'X-A: '.padEnd(100, 'a')}\r\n`.repeat(200);
    assert.throws(() => parse(`${CHUNKED}0\r\n${trailers}`), { code: 'UND_ERR_HEADERS_OVERFLOW' });
  });
});
