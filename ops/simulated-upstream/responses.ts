// OpenAI's Responses API, in its smallest useful form: one text message, whole or streamed.
import type { Exchange } from './exchange.ts';
import { requireModel } from './models.ts';
import { lastUserText, type Script, scriptFor } from './prompt.ts';
import { EVENT_STREAM, namedEvent, tokensIn } from './stream.ts';

/** POST /v1/responses */
export async function responses(exchange: Exchange): Promise<void> {
  const model = await requireModel(exchange);
  if (model === null) return;
  const script = scriptFor(lastUserText(exchange.json['input']), exchange.pace);
  if (exchange.json['stream'] === true) await streamResponse(exchange, model, script);
  else await exchange.answer.json(200, completed(exchange, model, script));
}

async function streamResponse(exchange: Exchange, model: string, script: Script): Promise<void> {
  const { answer } = exchange;
  const message = messageOf(exchange, script);
  const place = { item_id: message.id, output_index: 0, content_index: 0 };
  let sequence_number = 0;
  const event = (type: string, fields: object): string =>
    namedEvent(type, { ...fields, sequence_number: sequence_number++ });

  await answer.open(200, EVENT_STREAM);
  await answer.write(event('response.created', { response: started(exchange, model) }));
  const opened = { ...message, status: 'in_progress', content: [] };
  await answer.write(event('response.output_item.added', { output_index: 0, item: opened }));
  await answer.write(event('response.content_part.added', { ...place, part: textPart('') }));
  for (const delta of script.pieces) {
    await answer.chunk(
      event('response.output_text.delta', { ...place, delta, logprobs: [] }),
      script.intervalMs,
    );
  }
  await answer.write(event('response.output_text.done', { ...place, text: script.text, logprobs: [] }));
  await answer.write(event('response.content_part.done', { ...place, part: textPart(script.text) }));
  await answer.write(event('response.output_item.done', { output_index: 0, item: message }));
  await answer.write(event('response.completed', { response: completed(exchange, model, script) }));
  await answer.end();
}

function started({ record }: Exchange, model: string): object {
  return {
    id: `resp_${record.seq}`,
    object: 'response',
    created_at: Math.floor(record.startedAt / 1000),
    status: 'in_progress',
    model,
    output: [],
    tools: [],
    usage: null,
    error: null,
  };
}

function completed(exchange: Exchange, model: string, script: Script): object {
  const input_tokens = tokensIn(exchange.body.bytes);
  const output_tokens = script.pieces.length;
  return {
    ...started(exchange, model),
    status: 'completed',
    output: [messageOf(exchange, script)],
    usage: { input_tokens, output_tokens, total_tokens: input_tokens + output_tokens },
  };
}

interface Message {
  readonly id: string;
  readonly [field: string]: unknown;
}

function messageOf({ record }: Exchange, { text }: Script): Message {
  const id = `msg_${record.seq}`;
  return { id, type: 'message', role: 'assistant', status: 'completed', content: [textPart(text)] };
}

function textPart(text: string): object {
  return { type: 'output_text', text, annotations: [] };
}
