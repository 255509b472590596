// The way to the upstream, and then the credentials over it: each tried once, and only over a way that works.
import type { Settings } from '../config/settings.ts';
import type { CredentialEntry } from '../credentials/secrets-file.ts';
import { openClient, trusting } from '../proxy/upstream.ts';
import { type Finding, ok, warn } from './finding.ts';
import { tryCredential } from './live.ts';
import { walkToUpstream } from './way.ts';
import { wayFindings } from './way-findings.ts';

/** Nothing on the network is waited for longer, whatever the settings say. */
const LONGEST_STEP_MS = 10_000;
const LIVE_MS = 15_000;

export class WayCheck {
  readonly #settings: Settings;
  readonly #target: URL;
  readonly #upstreamCa: string | null;
  readonly #stepMs: number;
  #isOpen = false;

  constructor(settings: Settings, upstreamCa: string | null) {
    this.#settings = settings;
    this.#target = new URL(settings.targetUrl);
    this.#upstreamCa = upstreamCa;
    this.#stepMs = Math.min(settings.connectTimeoutMs, LONGEST_STEP_MS);
  }

  async *check(): AsyncGenerator<Finding> {
    const { outboundProxyUrl } = this.#settings;
    const proxy = outboundProxyUrl === null ? null : new URL(outboundProxyUrl);
    const walk = await walkToUpstream({
      target: this.#target,
      proxy,
      ca: this.#upstreamCa === null ? undefined : trusting(this.#upstreamCa),
      limitMs: this.#stepMs,
    });
    this.#isOpen = walk.failure === null;
    yield* wayFindings(walk, {
      targetHost: this.#target.host,
      proxyHost: proxy?.host ?? null,
      now: Date.now(),
    });
  }

  /** Only over a way that works. @param credentials null when nobody asked for it */
  async *tryEach(credentials: readonly CredentialEntry[] | null): AsyncGenerator<Finding> {
    if (credentials === null) {
      yield ok('credentials', 'not tried; --live tries each once');
      return;
    }
    if (!this.#isOpen) {
      yield warn('credentials', 'not tried, as the upstream cannot be reached', 'see what failed above');
      return;
    }
    const { outboundProxyUrl, secretsFile } = this.#settings;
    const client = await openClient({
      origin: this.#target.origin,
      ca: this.#upstreamCa,
      outboundProxyUrl,
      connectTimeoutMs: this.#stepMs,
    });
    try {
      for (const credential of credentials) {
        yield await tryCredential(credential, {
          client,
          target: this.#target,
          secretsFile,
          limitMs: LIVE_MS,
        });
      }
    } finally {
      await client.destroy();
    }
  }
}
