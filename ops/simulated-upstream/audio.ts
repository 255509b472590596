// Audio transcription: takes a multipart form and answers with what it received of the file.
import { createHash } from 'node:crypto';
import busboy from 'busboy';
import type { Exchange } from './exchange.ts';
import { errorFor } from './refusals.ts';

interface ReceivedFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** POST /v1/audio/transcriptions */
export async function transcriptions(exchange: Exchange): Promise<void> {
  const { answer, path } = exchange;
  const received = await readForm(exchange).catch((error: unknown) => String(error));
  if (typeof received === 'string') return answer.json(400, errorFor(path, 400, received));
  const { name, bytes, sha256 } = received;
  await answer.json(200, { text: `file=${name} bytes=${bytes} sha256=${sha256}` });
}

async function readForm({ request, body }: Exchange): Promise<ReceivedFile> {
  const form = busboy({ headers: request.headers });
  return new Promise((resolve, reject) => {
    let file: ReceivedFile | null = null;
    form.on('file', (_field, stream, { filename }) => {
      const hash = createHash('sha256');
      let bytes = 0;
      stream.on('data', (piece: Buffer) => {
        bytes += piece.length;
        hash.update(piece);
      });
      stream.once('end', () => {
        file = { name: filename ?? '', bytes, sha256: hash.digest('hex') };
      });
    });
    form.once('error', reject);
    form.once('close', () => (file === null ? reject(new Error('the form holds no file')) : resolve(file)));
    form.end(body.content);
  });
}
