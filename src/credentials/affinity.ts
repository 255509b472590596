// Keeps one conversation on one credential by weighted rendezvous hashing: no shared table, and when a credential
// goes only its own conversations move. (Thaler and Ravishankar 1998; weights as in Schindelhauer and Schomaker 2005.)

/** Something that conversations can be spread over. */
export interface AffinityCandidate {
  readonly weight: number;
  /** `affinitySeed` of its stable id. */
  readonly seed: number;
}

/** A 32-bit hash of a credential's id or a conversation's key; the same in every process. */
export function affinitySeed(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return scramble(hash);
}

/** The candidate with the highest score for this conversation; undefined when there is none. */
export function pickByAffinity<T extends AffinityCandidate>(
  candidates: readonly T[],
  key: string,
): T | undefined {
  const keySeed = affinitySeed(key);
  let best: T | undefined;
  let bestScore = -1;
  for (const candidate of candidates) {
    const uniform = (scramble(keySeed ^ candidate.seed) + 0.5) / 2 ** 32;
    const score = candidate.weight / -Math.log(uniform);
    if (score > bestScore) {
      best = candidate;
      bestScore = score;
    }
  }
  return best;
}

/** MurmurHash3's 32-bit finalizer: every input bit changes about half of the output bits. */
function scramble(value: number): number {
  let hash = value >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
