// Waiting that never keeps the process alive by itself.

/** Resolves after `ms`; at once for 0. */
export function pause(ms: number): Promise<void> {
  if (ms <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
