import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { storedHash } from '../../../src/clients/client-key.ts';
import { type ClientKeyEntry, readKeysFile } from '../../../src/clients/keys-file.ts';
import { ConfigError } from '../../../src/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'flow-proxy-keys-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'client-keys.json');

function read(content: unknown): readonly ClientKeyEntry[] {
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return readKeysFile(path);
}

function problemsOf(content: unknown): readonly string[] {
  try {
    read(content);
  } catch (cause) {
    assert.ok(cause instanceof ConfigError);
    return cause.problems.map((problem) => problem.replace(`${path}: `, ''));
  }
  return assert.fail('the file was accepted');
}

const hash = storedHash('fp_one');

describe('a file of client keys', () => {
  it('holds names, hashes and limits, each of which may be left out', () => {
    const keys = [
      { name: 'plain', hash },
      {
        name: 'limited@team-1',
        hash: storedHash('fp_two'),
        createdAt: '2027-01-01T00:00:00.000Z',
        requestsPerMinute: 60,
        concurrent: 2,
        models: ['gpt-4o*'],
      },
    ];
    assert.deepEqual(read({ keys }), [
      {
        name: 'plain',
        hash,
        createdAt: null,
        rotatedAt: null,
        requestsPerMinute: null,
        concurrent: null,
        models: null,
      },
      { rotatedAt: null, ...keys[1] },
    ]);
    assert.deepEqual(read({ keys: [] }), []);
  });

  it('may have comments', () => {
    assert.equal(read(`// ours\n{ keys: [{ name: 'a', hash: '${hash}', }] }`).length, 1);
  });

  it('is refused with every problem at once', () => {
    const keys = [
      { name: 'a b', hash: 'x' },
      { name: 'fine', hash, requestsPerMinute: 0, concurrent: 1.5, models: [], createdAt: 'soon' },
      7,
      { name: 'fine', hash, model: ['x'] },
      { name: 'patterns', hash: storedHash('fp_3'), models: ['a b', 'c,d'] },
    ];
    const problems = problemsOf({ keys });
    for (const expected of [
      /^key 1: name must be up to 64 letters/,
      /^key 1: hash must be "sha256:"/,
      /^key 2 \("fine"\): requestsPerMinute must be a whole number from 1/,
      /^key 2 \("fine"\): concurrent must be a whole number from 1/,
      /^key 2 \("fine"\): models must be an array/,
      /^key 2 \("fine"\): createdAt must be a time/,
      /^key 3: must be an object/,
      /^key 4 \("fine"\): has an unknown field that looks like models/,
      /^key 5 \("patterns"\): models must be/,
      /^keys 2 and 4 have the same name$/,
      /^keys 2 and 4 have the same hash$/,
    ]) {
      assert.ok(
        problems.some((problem) => expected.test(problem)),
        `${expected} in ${problems.join('\n')}`,
      );
    }
  });

  it('is refused when it is something else altogether', () => {
    assert.match(problemsOf('{"keys": [')[0] ?? '', /^not valid JSON \(line 1, column \d+\)$/);
    for (const content of ['[]', '{}', '{"keys":{}}', 'null']) {
      assert.match(problemsOf(content)[0] ?? '', /^must be an object with the client keys in an array/);
    }
    assert.throws(
      () => readKeysFile(join(folder, 'none')),
      /no such file; make it with `flow-proxy keys add NAME`/,
    );
  });

  it('never has a key quoted in a problem, wherever somebody put it', () => {
    const secret = 'fp_canary-canary-canary';
    const keys = [
      {
        name: secret.padEnd(80, 'x'),
        hash: secret,
        key: secret,
        [secret]: 1,
        models: secret,
        requestsPerMinute: secret,
      },
    ];
    assert.ok(problemsOf({ keys }).length >= 4);
    assert.ok(!problemsOf({ keys }).join().includes('canary'));
    assert.ok(!problemsOf(`{"keys": ${secret}`).join().includes('canary'));
  });
});
