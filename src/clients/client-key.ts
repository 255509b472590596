// Client keys themselves: how they are made, how they are stored, how one that a client shows is found again. A key
// has 256 random bits, so that its plain SHA-256 is as good as any slow hash, and costs a request next to nothing.
import { createHash, hash, randomBytes, timingSafeEqual } from 'node:crypto';

const PREFIX = 'fp_';
const RANDOM_BYTES = 32;
const STORED = /^sha256:([0-9a-f]{64})$/;
/** A longer text is no key of ours: hashing it would only cost time. */
const LONGEST_SHOWN = 256;
const HASH_BYTES = 32;

/** A new key; to be shown once and stored nowhere. */
export function generateKey(): string {
  return PREFIX + randomBytes(RANDOM_BYTES).toString('base64url');
}

/** What is stored of a key. */
export function storedHash(key: string): string {
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}

/** Whether a text looks like what is stored of a key. */
export function isStoredHash(text: string): boolean {
  return STORED.test(text);
}

/** Something that belongs to a key, found by it. */
export class KeyRing<T> {
  readonly #keys: readonly { readonly digest: Buffer; readonly owner: T }[];

  /** @param hashOf what is stored of the owner's key */
  constructor(owners: readonly T[], hashOf: (owner: T) => string) {
    this.#keys = owners.map((owner) => ({ digest: digestOf(hashOf(owner)), owner }));
  }

  /**
   * The owner of the first shown text that is a key. Every text is hashed and compared with every key, whatever it
   * is and whatever was found before, so that the time it takes says nothing.
   */
  find(shown: readonly string[]): T | undefined {
    let found: T | undefined;
    for (const text of shown) {
      const digest = hash('sha256', text.length > LONGEST_SHOWN ? '' : text, 'buffer');
      for (const key of this.#keys) {
        const isEqual = timingSafeEqual(digest, key.digest);
        if (isEqual) found ??= key.owner;
      }
    }
    return found;
  }
}

function digestOf(stored: string): Buffer {
  const digest = Buffer.from(STORED.exec(stored)?.[1] ?? '', 'hex');
  return digest.length === HASH_BYTES ? digest : randomBytes(HASH_BYTES);
}
