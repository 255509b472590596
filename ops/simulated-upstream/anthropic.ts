// Anthropic's messages API behind Flow, with the two things Flow refuses and Claude Code sends.
import type { Exchange } from './exchange.ts';
import { requireModel } from './models.ts';
import { lastUserText, type Script, scriptFor } from './prompt.ts';
import { anthropicError } from './refusals.ts';
import { EVENT_STREAM, namedEvent, tokensIn } from './stream.ts';

/** POST /v1/messages */
export async function messages(exchange: Exchange): Promise<void> {
  const refusal = refusalOf(exchange);
  if (refusal !== null) return exchange.answer.json(400, anthropicError(400, refusal));
  const model = await requireModel(exchange);
  if (model === null) return;
  const script = scriptFor(lastUserText(exchange.json['messages']), exchange.pace);
  if (exchange.json['stream'] === true) await streamMessage(exchange, model, script);
  else await answerMessage(exchange, model, script);
}

/** POST /v1/messages/count_tokens */
export async function countTokens(exchange: Exchange): Promise<void> {
  const model = await requireModel(exchange);
  if (model === null) return;
  await exchange.answer.json(200, { input_tokens: tokensIn(exchange.body.bytes) });
}

function refusalOf({ json, request }: Exchange): string | null {
  if ('context_management' in json) return 'context_management: Extra inputs are not permitted';
  if ('anthropic-beta' in request.headers) return 'anthropic_beta: Extra inputs are not permitted';
  return null;
}

async function answerMessage(exchange: Exchange, model: string, script: Script): Promise<void> {
  await exchange.answer.json(200, {
    ...opening(exchange, model),
    content: [{ type: 'text', text: script.text }],
    stop_reason: 'end_turn',
    usage: usageOf(exchange, script.pieces.length),
  });
}

async function streamMessage(exchange: Exchange, model: string, script: Script): Promise<void> {
  const { answer } = exchange;
  await answer.open(200, EVENT_STREAM);
  const message = { ...opening(exchange, model), usage: usageOf(exchange, 0) };
  await answer.write(namedEvent('message_start', { message }));
  const content_block = { type: 'text', text: '' };
  await answer.write(namedEvent('content_block_start', { index: 0, content_block }));
  await answer.write(namedEvent('ping', {}));
  for (const text of script.pieces) {
    const delta = { type: 'text_delta', text };
    await answer.chunk(namedEvent('content_block_delta', { index: 0, delta }), script.intervalMs);
  }
  await answer.write(namedEvent('content_block_stop', { index: 0 }));
  const delta = { stop_reason: 'end_turn', stop_sequence: null };
  const usage = { output_tokens: script.pieces.length };
  await answer.write(namedEvent('message_delta', { delta, usage }));
  await answer.write(namedEvent('message_stop', {}));
  await answer.end();
}

function opening({ record }: Exchange, model: string): object {
  return {
    id: `msg_${record.seq}`,
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
  };
}

function usageOf({ body }: Exchange, output_tokens: number): object {
  return {
    input_tokens: tokensIn(body.bytes),
    output_tokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
  };
}
