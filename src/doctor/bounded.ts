// A bound on how long a step of the doctor may take: nothing it asks may keep it waiting.

/** It took longer than it may. */
export class TooLateError extends Error {}

/**
 * Resolves or rejects as the promise does, or rejects with TooLateError.
 * @param onLate frees what the step holds
 */
export async function bounded<T>(
  limitMs: number,
  step: Promise<T>,
  onLate: () => void = () => {},
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new TooLateError(`nothing within ${limitMs} ms`));
      onLate();
    }, limitMs);
  });
  try {
    return await Promise.race([step, late]);
  } finally {
    clearTimeout(timer);
  }
}
