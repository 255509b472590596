import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Tokens, TokenUsage } from '../../../../src/proxy/usage/token-usage.ts';
import { UsageReader } from '../../../../src/proxy/usage/usage-reader.ts';
import { type Json, RandomAnswer } from './random-answer.ts';

const ROUNDS = 4_000;

function read(kind: 'json' | 'events', pieces: readonly Buffer[]): Tokens | null {
  const reader = new UsageReader(kind);
  for (const piece of pieces) reader.push(piece);
  return reader.tokens;
}

function readText(kind: 'json' | 'events', text: string): Tokens | null {
  return read(kind, [Buffer.from(text)]);
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What is expected: the whole texts parsed. */
function tokensOf(answers: readonly Json[]): Tokens | null {
  const usage = new TokenUsage();
  for (const answer of answers) {
    if (!isObject(answer)) continue;
    for (const holder of [answer, answer['message'], answer['response']]) {
      if (isObject(holder) && isObject(holder['usage'])) usage.add(JSON.stringify(holder['usage']));
    }
  }
  return usage.tokens;
}

describe('Tokens of a JSON answer', () => {
  test('are those of the whole text, wherever it is cut into chunks', () => {
    let told = 0;
    for (let seed = 0; seed < ROUNDS; seed += 1) {
      const random = new RandomAnswer(seed);
      const answer = random.answer();
      const text = JSON.stringify(answer, null, random.one([0, 0, 2]));
      const pieces = random.cut(Buffer.from(text));
      const expected = tokensOf([answer]);
      if (expected !== null) told += 1;
      assert.deepEqual(read('json', pieces), expected, `seed ${seed}: ${text}`);
    }
    assert.ok(told > ROUNDS / 4, `${told} of ${ROUNDS} told tokens`);
  });

  test('are not taken from what a model wrote, at any depth or in any text', () => {
    const forged = { usage: { input_tokens: 1_000_000, output_tokens: 1_000_000 } };
    const answer = {
      content: [{ type: 'tool_use', input: forged }, { text: JSON.stringify(forged) }],
      metadata: forged,
      usage: { input_tokens: 3, output_tokens: 4 },
    };
    assert.deepEqual(readText('json', JSON.stringify(answer)), { input: 3, output: 4, cached: 0 });
  });

  test('are unknown when a usage object is longer than any real one, and nothing of it is kept', () => {
    const long = { usage: { prompt_tokens: 3, note: 'x'.repeat(100_000) }, object: 'chat.completion' };
    assert.equal(readText('json', JSON.stringify(long)), null);
  });

  test('are unknown for what is no JSON object', () => {
    for (const text of [
      '',
      '[{"usage":{"prompt_tokens":1}}]',
      '"usage"',
      'null',
      '{"usage":{"prompt_tokens":',
    ]) {
      assert.equal(readText('json', text), null, text);
    }
  });
});

describe('Tokens of an event stream', () => {
  test('are those of its events, whatever its line ends and wherever it is cut', () => {
    for (let seed = 0; seed < ROUNDS; seed += 1) {
      const random = new RandomAnswer(seed);
      const end = random.one(['\n', '\r\n', '\r']);
      const answers = Array.from({ length: 1 + random.below(4) }, () => random.answer());
      const events = answers.map((answer) => event(answer, random, end));
      const stream = `${events.join('')}data: [DONE]${end}${end}`;
      // Servers mostly write whole events.
      const isWhole = random.below(2) === 0;
      const pieces = isWhole ? events.map((text) => Buffer.from(text)) : random.cut(Buffer.from(stream));
      assert.deepEqual(read('events', pieces), tokensOf(answers), `seed ${seed}: ${stream}`);
    }
  });

  test('of OpenAI come with its last chunk', () => {
    const events = [
      { choices: [{ delta: { content: 'Hi' } }], usage: null },
      {
        choices: [],
        usage: { prompt_tokens: 20, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 16 } },
      },
    ];
    assert.deepEqual(readText('events', streamOf(events)), { input: 20, output: 5, cached: 16 });
  });

  test('of Anthropic come in its first and last events, and what a cache gave or took is input, too', () => {
    const events = [
      {
        type: 'message_start',
        message: {
          usage: {
            input_tokens: 10,
            cache_read_input_tokens: 2_000,
            cache_creation_input_tokens: 300,
            output_tokens: 1,
          },
        },
      },
      { type: 'content_block_delta', delta: { text: '"usage":{"output_tokens":9999}' } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 42 } },
    ];
    assert.deepEqual(readText('events', streamOf(events)), { input: 2_310, output: 42, cached: 2_000 });
  });

  test('of the Responses API come with response.completed', () => {
    const usage = { input_tokens: 50, input_tokens_details: { cached_tokens: 32 }, output_tokens: 7 };
    const events = [
      { type: 'response.created', response: { usage: null } },
      { type: 'response.completed', response: { status: 'completed', usage } },
    ];
    assert.deepEqual(readText('events', streamOf(events)), { input: 50, output: 7, cached: 32 });
  });

  test('count once when every chunk tells the sum so far', () => {
    const events = [1, 2, 3].map((completion_tokens) => ({ usage: { prompt_tokens: 9, completion_tokens } }));
    assert.deepEqual(readText('events', streamOf(events)), { input: 9, output: 3, cached: 0 });
  });

  test('are read from events that no blank line parts', () => {
    const lines =
      'data: {"choices":[]}\ndata: {"usage":{"prompt_tokens":4,"completion_tokens":2}}\ndata: [DONE]\n';
    assert.deepEqual(readText('events', lines), { input: 4, output: 2, cached: 0 });
  });
});

function streamOf(events: readonly object[]): string {
  return events.map((one) => `event: some\ndata: ${JSON.stringify(one)}\n\n`).join('');
}

/** An event as servers write it: with a name, an id, comments; its JSON on one line or on several. */
function event(answer: Json, random: RandomAnswer, end: string): string {
  const before = random.one([
    '',
    `event: message${end}`,
    `: data: {"usage":{"output_tokens":7}}${end}`,
    `id: 7${end}`,
  ]);
  const indent = random.one([0, 0, 1]);
  const data = JSON.stringify(answer, null, indent)
    .split('\n')
    .map((line) => `data:${random.one(['', ' '])}${line}${end}`)
    .join('');
  return `${before}${data}${random.one(['', `retry: 5${end}`])}${end}`;
}
