// Figures in few characters, for screens.

/** 0.4, 12, 1.2k, 3.4M. */
export function amount(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)}M`;
  if (value >= 1e4) return `${(value / 1e3).toFixed(1)}k`;
  return value >= 10 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1);
}

/** @param ms from fractions of a millisecond up to days */
export function duration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)}ms`;
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  if (ms < 90_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)}s`;
  if (ms < 5_400_000) return `${Math.round(ms / 60_000)}min`;
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)}h` : `${Math.round(ms / 86_400_000)}d`;
}

/** In MB, or GB from one on. */
export function bytes(value: number): string {
  return value < 2 ** 30 ? `${Math.round(value / 2 ** 20)} MB` : `${(value / 2 ** 30).toFixed(1)} GB`;
}

/** @param share 0 to 1 */
export function percent(share: number): string {
  const value = share * 100;
  return `${value > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} %`;
}
