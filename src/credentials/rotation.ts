// Takes turns by smooth weighted round-robin (nginx's algorithm): each comes as often as its weight says, and the turns
// of a heavy one are spread between those of the others.

/** Something that takes turns. */
export interface RotationCandidate {
  readonly weight: number;
  /** Starts at 0; kept between turns. */
  current: number;
}

/** The candidate whose turn it is; undefined when there is none. */
export function pickInTurn<T extends RotationCandidate>(candidates: readonly T[]): T | undefined {
  let total = 0;
  let best: T | undefined;
  for (const candidate of candidates) {
    candidate.current += candidate.weight;
    total += candidate.weight;
    if (best === undefined || candidate.current > best.current) best = candidate;
  }
  if (best !== undefined) best.current -= total;
  return best;
}
