// OpenAI's chat completions, embeddings and images, as LiteLLM answers them.
import { createHash } from 'node:crypto';
import type { Exchange } from './exchange.ts';
import { isJsonObject } from './json.ts';
import { requireModel } from './models.ts';
import { lastUserText, type Script, scriptFor } from './prompt.ts';
import { EVENT_STREAM, lineup, tokensIn } from './stream.ts';

const ONE_PIXEL_PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** POST /v1/chat/completions */
export async function chatCompletions(exchange: Exchange): Promise<void> {
  const model = await requireModel(exchange);
  if (model === null) return;
  const script = scriptFor(lastUserText(exchange.json['messages']), exchange.pace);
  if (exchange.json['stream'] === true) await streamChat(exchange, model, script);
  else await answerChat(exchange, model, script);
}

async function answerChat(exchange: Exchange, model: string, script: Script): Promise<void> {
  await exchange.answer.json(200, {
    ...identityOf(exchange, 'chat.completion', model),
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: script.text },
        finish_reason: 'stop',
        logprobs: null,
      },
    ],
    usage: usageOf(exchange, script),
  });
}

async function streamChat(exchange: Exchange, model: string, script: Script): Promise<void> {
  const { answer, json } = exchange;
  const identity = identityOf(exchange, 'chat.completion.chunk', model);
  const event = (delta: object, finish_reason: string | null): string =>
    data({ ...identity, choices: [{ index: 0, delta, finish_reason }] });
  await answer.open(200, EVENT_STREAM);
  await answer.write(event({ role: 'assistant', content: '' }, null));
  for (const content of script.pieces) await answer.chunk(event({ content }, null), script.intervalMs);
  await answer.write(event({}, 'stop'));
  const options = json['stream_options'];
  if (isJsonObject(options) && options['include_usage'] === true) {
    await answer.write(data({ ...identity, choices: [], usage: usageOf(exchange, script) }));
  }
  await answer.write('data: [DONE]\n\n');
  await answer.end();
}

/** POST /v1/embeddings: eight numbers that depend on the input only. */
export async function embeddings({ json, answer, body }: Exchange): Promise<void> {
  const inputs: readonly unknown[] = lineup(json['input']);
  const base64 = json['encoding_format'] === 'base64';
  const data = inputs.map((input, index) => ({
    object: 'embedding',
    index,
    embedding: embed(input, base64),
  }));
  const tokens = tokensIn(body.bytes);
  await answer.json(200, {
    object: 'list',
    data,
    model: json['model'],
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  });
}

function embed(input: unknown, base64: boolean): string | number[] {
  const digest = createHash('sha256').update(JSON.stringify(input)).digest();
  const numbers = Float32Array.from({ length: 8 }, (_, index) => (digest[index] ?? 0) / 256);
  return base64 ? Buffer.from(numbers.buffer).toString('base64') : [...numbers];
}

/** POST /v1/images/generations: as many one-pixel PNGs as asked for. */
export async function images({ json, answer }: Exchange): Promise<void> {
  const count = typeof json['n'] === 'number' ? Math.min(10, Math.max(1, json['n'])) : 1;
  const image = { b64_json: ONE_PIXEL_PNG, revised_prompt: json['prompt'] ?? null };
  await answer.json(200, { created: now(), data: Array.from({ length: count }, () => image) });
}

function identityOf({ record }: Exchange, object: string, model: string): object {
  return { id: `chatcmpl-${record.seq}`, object, created: now(), model };
}

function usageOf({ body }: Exchange, { pieces }: Script): object {
  const prompt = tokensIn(body.bytes);
  return { prompt_tokens: prompt, completion_tokens: pieces.length, total_tokens: prompt + pieces.length };
}

function data(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}
