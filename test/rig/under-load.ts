// Does something while requests go on, and says what became of those.
import { type LoadResult, steadyLoad } from './steady-load.ts';

const LONGEST_S = 300;

export interface UnderLoad<T> {
  readonly result: T;
  readonly load: LoadResult;
}

/** The load begins before the action and ends after it. @param rate requests a second, at most */
export async function underLoad<T>(
  url: string,
  rate: number,
  action: () => Promise<T>,
): Promise<UnderLoad<T>> {
  const end = new AbortController();
  const [load, result] = await Promise.all([
    steadyLoad(url, rate, LONGEST_S, end.signal),
    action().finally(() => end.abort()),
  ]);
  return { result, load };
}
