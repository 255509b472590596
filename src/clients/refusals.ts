// How many requests were turned away at the door, and why.

/** Counts since the start. */
export interface ClientRefusals {
  /** The client's address is not in the list. */
  readonly address: number;
  /** No key, or none that is known. */
  readonly key: number;
  /** A model that the key may not use. */
  readonly model: number;
  /** Over the key's requests per minute, or its exchanges at a time. */
  readonly limit: number;
}

export const NO_REFUSALS: ClientRefusals = { address: 0, key: 0, model: 0, limit: 0 };

/** Adds counts of several workers. */
export function sumOfRefusals(all: Iterable<ClientRefusals>): ClientRefusals {
  let { address, key, model, limit } = NO_REFUSALS;
  for (const one of all) {
    address += one.address;
    key += one.key;
    model += one.model;
    limit += one.limit;
  }
  return { address, key, model, limit };
}
