// The few facts of a JSON request body that routing and admission want, read without parsing the body: a scan over
// its top-level members. A body that is no JSON object has none.
import { skipSpace, stringAt, walkMembers } from './json-members.ts';

/** What a body says about itself; a text longer than 512 characters counts as absent. */
export interface BodyFacts {
  readonly model: string | null;
  /** `metadata.user_id`, by which Anthropic's clients tell a user or a session. */
  readonly userId: string | null;
  /** `prompt_cache_key`, by which OpenAI's clients tell a conversation. */
  readonly promptCacheKey: string | null;
}

export const NO_FACTS: BodyFacts = { model: null, userId: null, promptCacheKey: null };

const NAMES: readonly string[] = ['model', 'prompt_cache_key', 'metadata'];
const LONGEST_CHARS = 512;

/**
 * Reads the facts; of a member given twice the first counts. Nothing of a malformed body counts, as far as it is read:
 * that is until the last fact is found.
 * @param isWhole false for the beginning of a body, which breaks off somewhere
 */
export function readBodyFacts(bytes: Buffer, isWhole = true): BodyFacts {
  const seen: string[] = [];
  const facts = { ...NO_FACTS };
  const end = walkMembers(bytes, 0, (name, at) => {
    if (!NAMES.includes(name) || seen.includes(name)) return true;
    seen.push(name);
    if (name === 'model') facts.model = textAt(bytes, at);
    else if (name === 'prompt_cache_key') facts.promptCacheKey = textAt(bytes, at);
    else facts.userId = userIdAt(bytes, at);
    return seen.length < NAMES.length;
  });
  return end < 0 && isWhole ? NO_FACTS : facts;
}

/**
 * Every model that a body names at its top level, for whoever must not be deceived: all of them count when the
 * member is given twice, whatever the case of its name, and a list with commas, which LiteLLM accepts, counts as its
 * parts.
 * @returns null when that cannot be told: no JSON object, broken, a model that is no text, or LiteLLM's `fallbacks`,
 * which name models of their own
 */
export function readModels(bytes: Buffer): readonly string[] | null {
  const models: string[] = [];
  let isTold = true;
  const end = walkMembers(bytes, 0, (spelling, at) => {
    const name = spelling.toLowerCase();
    if (name.endsWith('fallbacks')) isTold = false;
    if (name !== 'model') return true;
    const model = textAt(bytes, at);
    if (model === null) isTold = false;
    else models.push(...model.split(',').map((part) => part.trim()));
    return true;
  });
  const isWhole = end >= 0 && skipSpace(bytes, end) === bytes.length;
  return isWhole && isTold ? models : null;
}

function textAt(bytes: Buffer, at: number): string | null {
  return stringAt(bytes, at, LONGEST_CHARS) ?? null;
}

function userIdAt(bytes: Buffer, at: number): string | null {
  let userId: string | null = null;
  walkMembers(bytes, at, (name, valueAt) => {
    if (name !== 'user_id') return true;
    userId = textAt(bytes, valueAt);
    return false;
  });
  return userId;
}
