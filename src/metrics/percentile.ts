// Percentiles from a histogram, as Prometheus's histogram_quantile guesses them. Pure.

/**
 * The value that a share of the observations does not exceed; null when there are none. What lies above all bounds
 * counts as the highest of them.
 * @param bounds upper bounds of the buckets, ascending
 * @param counts observations of each bucket, then of those above all bounds
 * @param share 0 to 1
 */
export function percentile(
  bounds: readonly number[],
  counts: readonly number[],
  share: number,
): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total <= 0) return null;
  const rank = share * total;
  let before = 0;
  for (const [index, count] of counts.entries()) {
    const upper = bounds[index];
    if (upper === undefined) break;
    if (count > 0 && before + count >= rank) {
      const lower = bounds[index - 1] ?? 0;
      return lower + (upper - lower) * ((rank - before) / count);
    }
    before += count;
  }
  return bounds.at(-1) ?? null;
}
