// How many tokens an exchange took, as the upstream reports them in `usage`. The dialects word it differently:
// OpenAI's chat completions and embeddings, its Responses API, Anthropic's messages.

/** Tokens of one exchange. */
export interface Tokens {
  /** What the model read, cached or not. */
  readonly input: number;
  /** What it wrote. */
  readonly output: number;
  /** What of the input came from a prompt cache. */
  readonly cached: number;
}

type Figure = 'prompt' | 'completion' | 'input' | 'output' | 'cacheRead' | 'cacheCreation' | 'detailed';

/** Takes in usage objects as they come: streams report one or more, each cumulative, so the highest figures count. */
export class TokenUsage {
  readonly #highest: Partial<Record<Figure, number>> = {};
  #isTold = false;

  /** @param text of a usage object; what is no such thing changes nothing */
  add(text: string): void {
    const usage = parsed(text);
    if (usage === null) return;
    this.#note('prompt', usage['prompt_tokens']);
    this.#note('completion', usage['completion_tokens']);
    this.#note('input', usage['input_tokens']);
    this.#note('output', usage['output_tokens']);
    this.#note('cacheRead', usage['cache_read_input_tokens']);
    this.#note('cacheCreation', usage['cache_creation_input_tokens']);
    this.#note('detailed', cachedOf(usage['prompt_tokens_details']));
    this.#note('detailed', cachedOf(usage['input_tokens_details']));
  }

  /** null when no usage object told any. */
  get tokens(): Tokens | null {
    if (!this.#isTold) return null;
    const { prompt, completion, input, output, cacheRead, cacheCreation, detailed } = this.#highest;
    const cached = detailed ?? cacheRead ?? 0;
    // Anthropic's input_tokens leave out what a cache gave or took; everywhere else the total is told.
    const total = prompt ?? (input ?? 0) + (detailed === undefined ? cached + (cacheCreation ?? 0) : 0);
    return { input: total, output: completion ?? output ?? 0, cached };
  }

  #note(figure: Figure, value: unknown): void {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) return;
    this.#highest[figure] = Math.max(value, this.#highest[figure] ?? 0);
    this.#isTold = true;
  }
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function cachedOf(details: unknown): unknown {
  return isRecord(details) ? details['cached_tokens'] : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
