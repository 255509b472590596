// Keeps the certificate for HTTPS towards clients. Workers get the pair by message, never by a file, and serve new
// connections with a renewed one at once.
import { describeCertificate, type TlsPair } from '../clients/tls-pair.ts';
import type { Logger } from '../logging/logger.ts';

export interface CertificateKeeperOptions {
  /** null for plain HTTP. */
  readonly pair: TlsPair | null;
  readonly log: Logger;
  /** Sends the pair to every worker. */
  readonly publish: (pair: TlsPair) => void;
}

export class CertificateKeeper {
  readonly #options: CertificateKeeperOptions;
  #pair: TlsPair | null;

  constructor(options: CertificateKeeperOptions) {
    this.#options = options;
    this.#pair = options.pair;
  }

  /** The pair in use; null for plain HTTP. */
  get pair(): TlsPair | null {
    return this.#pair;
  }

  /** @returns whether it is another one; that there is one at all, or none any more, takes new workers */
  replace(pair: TlsPair | null): boolean {
    if (pair?.cert === this.#pair?.cert && pair?.key === this.#pair?.key) return false;
    this.#pair = pair;
    if (pair !== null) {
      this.#options.log.info({ msg: `Certificate renewed: ${describeCertificate(pair)}` });
      this.#options.publish(pair);
    }
    return true;
  }
}
