// Keeps the certificate for HTTPS towards clients, and renews it when told to. Workers get the pair by message, never
// by a file.
import { describeCertificate, readTlsPair, type TlsPair } from '../clients/tls-pair.ts';
import type { TlsFiles } from '../config/settings.ts';
import { ConfigError } from '../errors.ts';
import type { Logger } from '../logging/logger.ts';

/** Files, and what they held at the start. */
export interface TlsSource {
  readonly files: TlsFiles;
  readonly pair: TlsPair;
}

export interface CertificateKeeperOptions {
  /** null for plain HTTP. */
  readonly source: TlsSource | null;
  readonly log: Logger;
  /** Sends the pair to every worker. */
  readonly publish: (pair: TlsPair) => void;
}

export class CertificateKeeper {
  readonly #options: CertificateKeeperOptions;
  #pair: TlsPair | null;

  constructor(options: CertificateKeeperOptions) {
    this.#options = options;
    this.#pair = options.source?.pair ?? null;
  }

  /** The pair in use; null for plain HTTP. */
  get pair(): TlsPair | null {
    return this.#pair;
  }

  /** Takes over the files as they are now; a pair that cannot be used is refused and the old one goes on. */
  reread(): void {
    const { source, log, publish } = this.#options;
    if (source === null) return;
    const pair = this.#read(source.files);
    if (pair === undefined || (pair.cert === this.#pair?.cert && pair.key === this.#pair.key)) return;
    this.#pair = pair;
    log.info({ msg: `Certificate renewed: ${describeCertificate(pair)}` });
    publish(pair);
  }

  #read(files: TlsFiles): TlsPair | undefined {
    try {
      return readTlsPair(files, Date.now());
    } catch (cause) {
      if (!(cause instanceof ConfigError)) throw cause;
      this.#options.log.error({ msg: `The old certificate goes on: ${cause.problems.join('; ')}` });
      return undefined;
    }
  }
}
