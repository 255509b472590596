// The real OpenAI and Anthropic packages through a running flow-proxy.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI, { toFile } from 'openai';
import { type Stack, startStack } from '../harness/stack.ts';

const HELLO = [{ role: 'user', content: 'marker:HEY chunks:4' } as const];
const GPT = { model: 'gpt-4o', messages: HELLO } as const;
const CLAUDE = { model: 'claude-4-5-sonnet', max_tokens: 64, messages: [...HELLO] };

let stack: Stack;
let openai: OpenAI;
let anthropic: Anthropic;
before(async () => {
  stack = await startStack({ simulation: { chunkIntervalMs: 5 } });
  openai = new OpenAI({ baseURL: `${stack.proxy.url}/v1`, apiKey: 'sk-of-the-client', maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: stack.proxy.url, apiKey: 'sk-ant-of-the-client', maxRetries: 0 });
});
after(() => stack.close());
beforeEach(() => stack.reset());

describe('the openai package', () => {
  it('lists models', async () => {
    const models = await openai.models.list();
    assert.ok(models.data.some(({ id }) => id === 'gpt-4o'));
  });

  it('chats', async () => {
    const answer = await openai.chat.completions.create(GPT);
    assert.match(answer.choices[0]?.message.content ?? '', /HEY/);
  });

  it('streams a chat with its usage', async () => {
    const stream = await openai.chat.completions.create({
      ...GPT,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let tokens = 0;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      tokens = chunk.usage?.total_tokens ?? tokens;
    }
    assert.equal(text, 'HEY HEY HEY HEY ');
    assert.ok(tokens > 0);
  });

  it('makes embeddings', async () => {
    const { data } = await openai.embeddings.create({ model: 'text-embedding-3-small', input: 'hello' });
    assert.equal(data.length, 1);
  });

  it('uploads a file by multipart', async () => {
    const bytes = randomBytes(700_000);
    const file = await toFile(bytes, 'speech.wav');
    const { text } = await openai.audio.transcriptions.create({ file, model: 'whisper-1' });
    assert.match(text, new RegExp(createHash('sha256').update(bytes).digest('hex')));
  });

  it('sends a body of 5 MB', async () => {
    const content = `marker:BIG ${'x'.repeat(5_000_000)}`;
    const answer = await openai.chat.completions.create({
      model: 'gpt-4o',
      messages: [{ role: 'user', content }],
    });
    assert.match(answer.choices[0]?.message.content ?? '', /BIG/);
    assert.ok((stack.upstream.requests[0]?.bodyBytes ?? 0) > 5_000_000);
  });

  it('cancels the request at the upstream when it aborts in the middle of a stream', async () => {
    const messages = [{ role: 'user', content: 'marker:A chunks:1000' } as const];
    const stream = await openai.chat.completions.create({ model: 'gpt-4o', messages, stream: true });
    for await (const _ of stream) break;
    await stack.upstream.waitFor(({ outcome }) => outcome === 'aborted', 2_000);
  });

  it('raises an APIError with the status when the upstream is refusing', async () => {
    stack.upstream.setFaults([{ fault: { type: 'close' } }]);
    await assert.rejects(openai.chat.completions.create(GPT), (cause) => {
      assert.ok(cause instanceof OpenAI.APIError);
      assert.equal(cause.status, 502);
      assert.equal(cause.code, 'upstream_closed');
      return true;
    });
  });
});

describe('the Anthropic package', () => {
  it('sends a message', async () => {
    const answer = await anthropic.messages.create(CLAUDE);
    assert.match(JSON.stringify(answer.content), /HEY/);
  });

  it('streams a message', async () => {
    const message = await anthropic.messages.stream(CLAUDE).finalMessage();
    assert.match(JSON.stringify(message.content), /HEY HEY HEY HEY /);
    assert.ok(message.usage.output_tokens > 0);
  });

  it('counts tokens', async () => {
    const { input_tokens } = await anthropic.messages.countTokens({
      model: CLAUDE.model,
      messages: [...HELLO],
    });
    assert.ok(input_tokens > 0);
  });

  it('cancels the request at the upstream when it aborts in the middle of a stream', async () => {
    const messages = [{ role: 'user', content: 'marker:A chunks:1000' } as const];
    const stream = anthropic.messages.stream({ ...CLAUDE, messages });
    stream.done().catch(() => {});
    await new Promise<void>((resolve) => stream.once('text', () => resolve()));
    stream.abort();
    await stack.upstream.waitFor(({ outcome }) => outcome === 'aborted', 2_000);
  });

  it('raises an APIError with the status when the upstream is refusing', async () => {
    stack.upstream.setFaults([{ fault: { type: 'close' } }]);
    await assert.rejects(anthropic.messages.create(CLAUDE), (cause) => {
      assert.ok(cause instanceof Anthropic.APIError);
      assert.equal(cause.status, 502);
      assert.match(cause.message, /upstream_closed/);
      return true;
    });
  });
});

describe('Claude Code', () => {
  for (const size of [100, 400_000]) {
    it(`works although it sends what Flow refuses, and only that is taken out (body of ${size} bytes)`, async () => {
      const rest = `"messages":[{"role":"user","content":"marker:CC ${'é'.repeat(size / 2)}"}],"n":1.0,"big":12345678901234567890`;
      const before = `{"model":"claude-4-5-sonnet","max_tokens":9,"context_management":{"edits":[{"type":"x"}]},${rest}}`;
      const wanted = `{"model":"claude-4-5-sonnet","max_tokens":9,${rest}}`;
      const answer = await fetch(`${stack.proxy.url}/v1/messages?beta=true`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'anthropic-beta': 'claude-code-20250219,context-management-2025-06-27',
          'x-claude-code-session-id': 'one',
        },
        body: before,
      });
      assert.equal(answer.status, 200, await answer.text());
      const [seen] = stack.upstream.requests;
      assert.equal(seen?.bodySha256, createHash('sha256').update(wanted).digest('hex'));
      assert.equal(seen?.url, '/flow-llm-proxy/v1/messages?beta=true');
    });
  }
});
