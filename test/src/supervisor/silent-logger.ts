// A logger for tests that look at something else.
import type { AdjustableLogger } from '../../../src/logging/logger.ts';

const nothing = (): void => {};

export const silentLogger: AdjustableLogger = {
  debug: nothing,
  info: nothing,
  warning: nothing,
  error: nothing,
  setLevel: nothing,
};
