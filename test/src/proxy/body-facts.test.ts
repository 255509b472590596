import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_FACTS, readBodyFacts, readModels } from '../../../src/proxy/body-facts.ts';
import { cpuMsOf } from '../../harness/cpu-time.ts';

const factsOf = (text: string) => readBodyFacts(Buffer.from(text));
const modelsOf = (text: string) => readModels(Buffer.from(text));

describe('the facts of a request body', () => {
  it('are found wherever they stand at the top level', () => {
    const body = {
      messages: [{ role: 'user', content: 'say "model": "not me", {[ and \\ too' }],
      metadata: { other: [1, { user_id: 'deep' }], user_id: 'user_1_session_2' },
      model: 'claude-4-5-sonnet',
      prompt_cache_key: 'conversation-7',
      stream: true,
    };
    const facts = {
      model: 'claude-4-5-sonnet',
      userId: 'user_1_session_2',
      promptCacheKey: 'conversation-7',
    };
    assert.deepEqual(factsOf(JSON.stringify(body)), facts);
    assert.deepEqual(factsOf(JSON.stringify(body, null, 2)), facts);
    assert.deepEqual(factsOf(` \r\n\t${JSON.stringify(body)}\n`), facts);
  });

  it('are absent where the body has none', () => {
    for (const text of ['', '{}', ' {} ', '[]', '"model"', 'null', '{"messages":[]}', '[{"model":"m"}]']) {
      assert.deepEqual(factsOf(text), NO_FACTS, text);
    }
  });

  it('are not taken from deeper down, nor from texts', () => {
    assert.deepEqual(factsOf('{"a":{"model":"deep","stream":true},"b":"\\"model\\":\\"text\\""}'), NO_FACTS);
  });

  it('are absent where a value is of another type, or too long to be one', () => {
    assert.deepEqual(factsOf('{"model":7,"stream":"true","metadata":[],"prompt_cache_key":null}'), NO_FACTS);
    const long = 'x'.repeat(513);
    assert.deepEqual(factsOf(`{"model":"${long}","metadata":{"user_id":"${long}"}}`), NO_FACTS);
    const longest = 'ä'.repeat(512);
    assert.equal(factsOf(`{"model":"${longest}"}`).model, longest);
  });

  it('have their escapes resolved', () => {
    assert.equal(factsOf('{"model":"a\\u0062\\"c\\\\"}').model, 'ab"c\\');
  });

  it('do not count when the body breaks off or is malformed while one is still looked for', () => {
    assert.deepEqual(factsOf('{"model":"m","messages":['), NO_FACTS);
    assert.deepEqual(factsOf('{"model":"m","stream"'), NO_FACTS);
    assert.deepEqual(factsOf('{"model":"m" "stream":true}'), NO_FACTS);
  });

  it('count as far as they go in the beginning of a body', () => {
    const beginning = (text: string) => readBodyFacts(Buffer.from(text), false);
    assert.equal(beginning('{"model":"m","messages":["x').model, 'm');
    assert.deepEqual(beginning('{"messages":["model'), NO_FACTS);
    assert.deepEqual(beginning('{"model":"gpt-'), NO_FACTS);
    assert.deepEqual(beginning('--x'), NO_FACTS);
  });

  it('survive strings of every length that end in quotes and backslashes', () => {
    for (let length = 0; length < 80; length += 1) {
      for (const end of ['', '"', '\\', '\\"', '\\\\', '\\\\"', '"\\']) {
        const text = JSON.stringify({ pad: 'x'.repeat(length) + end, [`k${end}`]: [end], model: 'm' });
        assert.equal(factsOf(text).model, 'm', text);
      }
    }
  });

  it('never throw, whatever byte is changed or missing', () => {
    const whole = Buffer.from('{"a":[1,{"b":"c\\n"}],"metadata":{"user_id":"u"},"model":"m","stream":true}');
    for (let at = 0; at < whole.length; at += 1) {
      readBodyFacts(whole.subarray(0, at));
      for (const byte of [0x00, 0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x2c, 0xff]) {
        const changed = Buffer.from(whole);
        changed[at] = byte;
        readBodyFacts(changed);
        readModels(changed);
      }
    }
  });

  it('are found in a body of many megabytes in a moment, also when it is nested a million deep', () => {
    const deep = `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`;
    const text = JSON.stringify({ text: 'say \\"this\\" \n'.repeat(500_000), model: 'last' });
    const ms = cpuMsOf(() => {
      assert.equal(factsOf(`{"deep":${deep},${text.slice(1)}`).model, 'last');
    });
    assert.ok(ms < 2_000, `${ms} ms`);
  });
});

describe('the models a body names', () => {
  it('are all of them, however their member is spelled', () => {
    assert.deepEqual(modelsOf('{"model":"a","x":[{"model":"deep"}],"model":"b"}'), ['a', 'b']);
    assert.deepEqual(modelsOf('{"mod\\u0065l":"a","Model":"b","MODEL":"c"}'), ['a', 'b', 'c']);
    assert.deepEqual(modelsOf('{"messages":[]} \n'), []);
  });

  it('cannot be told of what is no whole JSON object', () => {
    const texts = [
      '',
      '[]',
      '"m"',
      '{"model":"m"',
      '{"model":"m"}{"model":"n"}',
      '\uFEFF{"model":"m"}',
      '--b\r\n',
    ];
    for (const text of texts) assert.equal(modelsOf(text), null, text);
    assert.equal(readModels(Buffer.from('{"model":"m"}', 'utf16le')), null);
  });

  it('are the parts of a list with commas', () => {
    assert.deepEqual(modelsOf('{"model":"a, b,c"}'), ['a', 'b', 'c']);
  });

  it('cannot be told where the body names fallbacks', () => {
    assert.equal(modelsOf('{"model":"a","fallbacks":["b"]}'), null);
    assert.equal(modelsOf('{"model":"a","context_window_fallbacks":[{"a":["b"]}]}'), null);
  });

  it('cannot be told of a model that is no text', () => {
    assert.equal(modelsOf('{"model":["m"]}'), null);
    assert.equal(modelsOf('{"model":null}'), null);
    assert.equal(modelsOf(`{"model":"${'x'.repeat(600)}"}`), null);
  });
});
