// The models the upstream offers, their aliases, and the refusal of any other.
import type { Exchange } from './exchange.ts';
import { stringOf } from './json.ts';
import { errorFor } from './refusals.ts';

const ALIASES: Readonly<Record<string, readonly string[]>> = {
  'gpt-4o': ['gpt-4'],
  'gpt-4o-mini': [],
  'gpt-4.1': [],
  'o3-mini': [],
  o1: [],
  'gpt-5': [],
  'gpt-5-mini': [],
  'gpt-5-nano': [],
  'gemini-2.5-flash': [],
  'gemini-2.5-pro': [],
  'anthropic.claude-4-sonnet': [],
  'anthropic.claude-4-5-sonnet': ['claude-4-5-sonnet', 'claude-45'],
  'meta.llama3-70b-instruct': [],
  'grok-3': [],
  'deepseek-r1': [],
};

const NAMES: ReadonlyMap<string, string> = new Map(
  Object.entries(ALIASES).flatMap(([model, aliases]) => [model, ...aliases].map((name) => [name, model])),
);

/** Every name a request may use: models and aliases. */
export const modelNames: readonly string[] = [...NAMES.keys()];

/** The model behind a name or alias, or null. */
export function resolveModel(name: string): string | null {
  return NAMES.get(name) ?? null;
}

/** GET /v1/models */
export async function listModels({ answer }: Exchange): Promise<void> {
  const data = modelNames.map((id) => ({ id, object: 'model', created: 1_677_610_602, owned_by: 'openai' }));
  await answer.json(200, { object: 'list', data });
}

/** The model the body names; null after the request was refused because there is no such model. */
export async function requireModel({ path, json, answer }: Exchange): Promise<string | null> {
  const name = stringOf(json, 'model');
  const model = name === null ? null : resolveModel(name);
  if (model !== null) return model;
  const route = path.replace(/^\/v1/, '');
  const message = `${route}: Invalid model name passed in model=${name}. Call \`/v1/models\` to view available models for your key.`;
  await answer.json(400, errorFor(path, 400, message));
  return null;
}
