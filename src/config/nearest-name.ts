// The one place that knows fastest-levenshtein: guesses what a mistyped name was meant to be.
import { distance } from 'fastest-levenshtein';

/** The known name nearest to a wrong one, or undefined when none is near enough to be a guess. */
export function nearestName(wrong: string, known: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let least = Math.ceil(wrong.length / 2);
  for (const name of known) {
    const edits = distance(wrong.toLowerCase(), name.toLowerCase());
    if (edits > least || (edits === least && nearest !== undefined)) continue;
    nearest = name;
    least = edits;
  }
  return nearest;
}
