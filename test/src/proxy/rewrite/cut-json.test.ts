import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cutJson } from '../../../../src/proxy/rewrite/cut-json.ts';
import { cpuMsOf } from '../../../harness/cpu-time.ts';
import { randomOf } from '../../credentials/sample-pool.ts';
import { isSubsequence, RandomJson, withoutPaths } from './random-json.ts';

const split = (paths: readonly string[]) => paths.map((path) => path.split('.'));
const cut = (text: string, ...paths: string[]): string => cutJson(Buffer.from(text), split(paths)).toString();

/** Only an untouched text comes back as the same buffer. */
function assertUntouched(text: string | Buffer, ...paths: string[]): void {
  const buffer = Buffer.from(text);
  assert.equal(cutJson(buffer, split(paths)), buffer, buffer.toString().slice(0, 80));
}

describe('cutting members out of JSON', () => {
  it('is the same as removing them from the parsed value, for 20,000 random texts and paths', () => {
    const random = new RandomJson(randomOf(7));
    let changed = 0;
    for (let i = 0; i < 20_000; i += 1) {
      const [text, paths] = [random.text(), random.paths()];
      const original = Buffer.from(text);
      const result = cutJson(original, paths);
      const about = `${JSON.stringify(paths)} in ${text}`;
      assert.deepEqual(JSON.parse(result.toString()), withoutPaths(JSON.parse(text), paths), about);
      assert.ok(isSubsequence(result, original), about);
      if (result !== original) changed += 1;
    }
    assert.ok(changed > 2_000, `only ${changed} texts had anything to cut`);
  });

  it('leaves every other byte as it was: numbers, spacing, escapes, order and duplicates', () => {
    const kept =
      '"big":12345678901234567890 , "one" : 1.0,\t"e":1E400,"s":"\\u00e9\\/\\n\u{1f600}","d":1,"d":2';
    assert.equal(cut(`{"cut":{"x":[1]},${kept}}`, 'cut'), `{${kept}}`);
    assert.equal(cut(`{${kept},"cut":null}`, 'cut'), `{${kept}}`);
    assert.equal(cut(`{ "cut" : 1 , ${kept} , "cut" : 2 }`, 'cut'), `{ ${kept} }`);
  });

  it('takes the comma along, wherever the member stands and however many go', () => {
    assert.equal(cut('{"a":1,"b":2,"c":3}', 'a'), '{"b":2,"c":3}');
    assert.equal(cut('{"a":1,"b":2,"c":3}', 'b'), '{"a":1,"c":3}');
    assert.equal(cut('{"a":1,"b":2,"c":3}', 'c'), '{"a":1,"b":2}');
    assert.equal(cut('{"a":1,"b":2,"c":3}', 'a', 'b'), '{"c":3}');
    assert.equal(cut('{"a":1,"b":2,"c":3}', 'a', 'c'), '{"b":2}');
    assert.equal(cut('{"a":1,"b":2,"c":3}', '*'), '{}');
    assert.equal(cut('[1,2,3]', '*'), '[]');
  });

  it('follows a path through objects and arrays, and "*" through any of their members', () => {
    const text = '{"m":[{"k":1,"v":2},{"v":3},"k"],"k":4}';
    assert.equal(cut(text, 'm.*.k'), '{"m":[{"v":2},{"v":3},"k"],"k":4}');
    assert.equal(cut(text, 'm.0'), '{"m":[{"v":3},"k"],"k":4}');
    assert.equal(cut('[1,2,3]', '1'), '[1,3]');
    assert.equal(cut(text, 'm.*.k', 'k', 'm.1'), '{"m":[{"v":2},"k"]}');
  });

  it('finds a name however it is spelt', () => {
    assert.equal(cut('{"\\u0061b":1,"c":2}', 'ab'), '{"c":2}');
    assert.equal(cut('{"a\\/b":1,"c":2}', 'a/b'), '{"c":2}');
    assert.equal(cut('{"\\u00E9":1,"é":2,"c":3}', 'é'), '{"c":3}');
    assert.equal(cut('{"\\ud83d\\ude00":1,"c":3}', '\u{1f600}'), '{"c":3}');
  });

  it('cuts no value that only looks like the member', () => {
    assertUntouched('{"a":"cut","b":"\\"cut\\":1","c":["cut"],"d":{"cut":1}}', 'cut');
    assertUntouched('{"cuts":1,"Cut":2,"cut ":3}', 'cut');
    assertUntouched('"cut"', 'cut');
    assertUntouched('{"a":1}');
  });

  it('does not mind bytes that are no UTF-8', () => {
    const bad = Buffer.from([0xff, 0xc3, 0x28]);
    const text = Buffer.concat([Buffer.from('{"cut":1,"a":"'), bad, Buffer.from('"}')]);
    const expected = Buffer.concat([Buffer.from('{"a":"'), bad, Buffer.from('"}')]);
    assert.deepEqual(cutJson(text, [['cut']]), expected);
  });
});

describe('a text whose structure is broken', () => {
  const broken = [
    '',
    ' ',
    '{',
    '{"cut"',
    '{"cut":',
    '{"cut":1',
    '{"cut":1,',
    '{"cut":1,}',
    '{"cut" 1}',
    '{"cut":}',
    '{,"cut":1}',
    '{cut:1,"cut":1}',
    '{"cut":1,"x":"',
    '{"cut":"\\"}',
    '{"cut":[1,2}',
    '{"cut":{"a":1}',
    '["cut":1',
    '{"cut":1 "b":2}',
    '{"cut":1 2}',
    '{"cut":"x"1}',
    '{"cut":[]1}',
    '{"cut":1}}',
    '{"cut":1}{}',
    '{"cut":1},',
    '["x",{"cut":1}',
    '{"cut":1,"\\x":2}',
    '{"cut":1,"\\u12":2}',
    'cut',
    '}{"cut":1}',
    '\u0000{"cut":1}',
  ];
  it('comes back untouched, the same buffer', () => {
    for (const text of broken) assertUntouched(text, 'cut');
  });

  it('comes back untouched wherever it was cut off, or is cut where it is whole', () => {
    const whole = '{"a":[{"cut":{"x":"}\\""}},2],"cut":"\\\\","é":{}}';
    const bytes = Buffer.from(whole);
    for (let length = 0; length < bytes.length; length += 1)
      assertUntouched(bytes.subarray(0, length), 'cut', 'a.*.cut');
    assert.equal(cut(whole, 'cut', 'a.*.cut'), '{"a":[{},2],"é":{}}');
  });

  it('throws nothing, whatever bytes it has', () => {
    const random = randomOf(3);
    const alphabet = '{}[]",:\\u01acut \n';
    for (let i = 0; i < 20_000; i += 1) {
      const length = Math.floor(random() * 40);
      const text = Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join('');
      const original = Buffer.from(text);
      assert.ok(isSubsequence(cutJson(original, [['*'], ['cut'], ['*', 'cut']]), original));
    }
  });
});

describe('a large or odd text', () => {
  it('is read without recursion, however deep it is', () => {
    const depth = 1_000_000;
    const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`;
    assert.equal(cut(`{"a":${deep},"cut":${deep}}`, 'cut', '*.*.*').length, '{"a":[[]]}'.length);
  });

  /** Milliseconds for a text, the best of some tries. */
  function timeOf(text: string, path: string): number {
    const buffer = Buffer.from(text);
    const paths = [path.split('.')];
    const times = Array.from({ length: 5 }, () => cpuMsOf(() => cutJson(buffer, paths)));
    return Math.min(...times);
  }

  const shapes: Record<string, (size: number) => string> = {
    'one string full of backslashes': (size) => `{"a":"${'\\\\'.repeat(size)}","cut":1}`,
    'one string full of escaped quotes': (size) => `{"a":"${'\\"'.repeat(size)}","cut":1}`,
    'a string that never ends': (size) => `{"cut":1,"a":"${'\\"'.repeat(size)}`,
    'many members': (size) => `{${'"cut":1,'.repeat(size)}"a":1}`,
    'many elements': (size) => `{"a":[${'{"cut":1},'.repeat(size)}1]}`,
    'deep nesting': (size) => `{"a":${'['.repeat(size)}${']'.repeat(size)},"cut":1}`,
  };
  for (const [shape, make] of Object.entries(shapes)) {
    it(`takes time in proportion to its size: ${shape}`, () => {
      const [small, large] = [timeOf(make(40_000), '*.cut'), timeOf(make(320_000), '*.cut')];
      // Eight times the size; square time would be 64.
      assert.ok(large < 32 * Math.max(small, 2), `${small.toFixed(1)} ms, then ${large.toFixed(1)} ms`);
    });
  }
});
