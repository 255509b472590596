import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readFormModel } from '../../../src/proxy/form-model.ts';

const TYPE = 'multipart/form-data; boundary=b-1';
const part = (head: string, value: string): string => `--b-1\r\n${head}\r\n\r\n${value}\r\n`;
const field = (name: string, value: string): string =>
  part(`Content-Disposition: form-data; name="${name}"`, value);
const FILE = part(
  'Content-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav',
  `RIFF\0--b\r\n\r\nname="model"${'\xff'.repeat(100_000)}`,
);
const END = '--b-1--\r\n';
const modelOf = (text: string, type = TYPE): string | null =>
  readFormModel(Buffer.from(text, 'latin1'), type);

describe('the model of a form', () => {
  it('is found before and behind a file, and in any spelling that clients have', () => {
    assert.equal(modelOf(field('model', 'whisper-1') + FILE + END), 'whisper-1');
    assert.equal(
      modelOf(FILE + field('response_format', 'json') + field('model', 'whisper-1') + END),
      'whisper-1',
    );
    assert.equal(modelOf(part('content-disposition: form-data; name=model', 'm') + END), 'm');
    const typed = 'Content-Type: text/plain\r\nContent-Disposition: form-data; name="model"';
    assert.equal(modelOf(part(typed, 'm') + END), 'm');
    assert.equal(
      modelOf(field('model', 'm') + END, 'Multipart/Form-Data; charset=utf-8; boundary="b-1"'),
      'm',
    );
  });

  it('is none where no field names it', () => {
    for (const text of [
      FILE + END,
      field('models', 'm') + END,
      field('x', 'name="model"') + END,
      part('Content-Disposition: form-data; name="model"; filename="m"', 'm') + END,
      part('X: name="model"', 'm') + END,
      field('model', '') + END,
      field('model', 'x'.repeat(513)) + END,
      '',
    ]) {
      assert.equal(modelOf(text), null, text.slice(0, 100));
    }
    assert.equal(modelOf(field('model', 'm') + END, 'multipart/form-data'), null);
    assert.equal(modelOf(field('model', 'm') + END, 'application/json'), null);
  });

  it('is not taken from a value that breaks off', () => {
    const text = field('model', 'whisper-1') + END;
    for (let length = 0; length < text.indexOf('\r\n--b-1--') + 2; length += 1) {
      assert.equal(modelOf(text.slice(0, length)), null);
    }
  });
});
