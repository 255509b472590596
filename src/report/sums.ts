// What exchanges that share something come to, and how two sums become one. Pure data.

/** Sums of the exchanges that share a credential, a model or a client key. */
export interface Sums {
  exchanges: number;
  succeeded: number;
  bytesIn: number;
  bytesOut: number;
  /** Exchanges whose answer told its tokens; the sums below are theirs. */
  withTokens: number;
  tokensIn: number;
  tokensOut: number;
  tokensCached: number;
}

export function noSums(): Sums {
  return {
    exchanges: 0,
    succeeded: 0,
    bytesIn: 0,
    bytesOut: 0,
    withTokens: 0,
    tokensIn: 0,
    tokensOut: 0,
    tokensCached: 0,
  };
}

export function addSums(into: Sums, from: Sums): void {
  into.exchanges += from.exchanges;
  into.succeeded += from.succeeded;
  into.bytesIn += from.bytesIn;
  into.bytesOut += from.bytesOut;
  into.withTokens += from.withTokens;
  into.tokensIn += from.tokensIn;
  into.tokensOut += from.tokensOut;
  into.tokensCached += from.tokensCached;
}
