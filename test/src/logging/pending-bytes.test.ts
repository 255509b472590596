import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { PendingBytes } from '../../../src/logging/pending-bytes.ts';
import { eventually } from '../../harness/eventually.ts';

const folder = mkdtempSync(join(tmpdir(), 'flow-proxy-pending-'));
// Waiting for room in a pipe keeps no process alive, as a server does; here there is none.
const alive = setInterval(() => {}, 1_000);
after(() => {
  clearInterval(alive);
  rmSync(folder, { recursive: true, force: true });
});

const LINE = `${'ü'.repeat(500)}\n`;
const LINES = LINE.repeat(200);

/** Both ends of a pipe that holds less than the lines and blocks nobody. */
function openPipe(name: string): { reader: number; writer: number } {
  const path = join(folder, name);
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: openSync(path, constants.O_WRONLY | constants.O_NONBLOCK) };
}

/** Less than a pipe holds: a larger read may take in what is written while it lasts. */
function readPiece(reader: number): Buffer {
  const piece = Buffer.alloc(4_096);
  return piece.subarray(0, readSync(reader, piece, 0, piece.length, null));
}

/** The next bytes of a pipe, once there are some. */
async function readSome(reader: number): Promise<Buffer> {
  return eventually('something in the pipe', () => {
    try {
      return readPiece(reader);
    } catch {
      return undefined;
    }
  });
}

describe('a batch of lines under way', () => {
  it('waits for a pipe that is full and goes on where it stopped', async () => {
    const { reader, writer } = openPipe('slow');
    const written = new PendingBytes(LINES).writeTo(writer);
    const pieces: Buffer[] = [];
    while (Buffer.concat(pieces).length < Buffer.byteLength(LINES)) pieces.push(await readSome(reader));
    await written;
    assert.equal(Buffer.concat(pieces).toString(), LINES);
    closeSync(reader);
    closeSync(writer);
  });

  it('that broke off in the middle of a line is written from that line’s start to the next file', async () => {
    const { reader, writer } = openPipe('broken');
    const pending = new PendingBytes(LINES);
    const failed = assert.rejects(pending.writeTo(writer), { code: 'EPIPE' });
    const before = await readSome(reader);
    // What was written after that is lost with the pipe; the second write fills it.
    closeSync(reader);
    await failed;
    closeSync(writer);
    pending.rewindToLineStart();
    const path = join(folder, 'next');
    const next = openSync(path, 'a');
    await pending.writeTo(next);
    closeSync(next);
    const text = readFileSync(path, 'utf8');
    assert.ok(text.startsWith(LINE), 'the first line is whole');
    assert.ok(
      text.length % LINE.length === 0 && text.length < LINES.length,
      'and what came before is not repeated',
    );
    assert.ok(before.length > 0);
  });
});
