// Leases for attempts, and what their outcome says about the credential: told to this worker's pool at once, and to
// the primary, which decides for everybody.
import type { CredentialFailure } from '../credentials/cooldown.ts';
import type { Lease, LeaseRequest, NoLease, Pool } from '../credentials/pool.ts';
import type { ErrorReply } from './dialect.ts';
import type { AnswerVerdict } from './judge.ts';

/** Carries news about credentials to the primary. */
export interface CredentialReporter {
  /** @returns the number of the report, which a later snapshot acknowledges */
  failed(failure: CredentialFailure): number;
  /** A request waits for leave to probe. */
  probeWanted(): void;
  probeStarted(lease: Lease): void;
  probeEnded(lease: Lease, hasRecovered: boolean): void;
}

/** How long a credential is avoided here unless the answer says, until the primary has decided; that takes it milliseconds. */
const AVOID_MS = 5_000;
/** How often the primary is told that requests wait for leave to probe. */
const WANTED_EVERY_MS = 250;

/** Takes and settles leases. */
export class Leases {
  readonly #pool: Pool;
  readonly #reporter: CredentialReporter;
  readonly #probes = new WeakSet<Lease>();
  #wantedAt = 0;

  constructor(pool: Pool, reporter: CredentialReporter) {
    this.#pool = pool;
    this.#reporter = reporter;
  }

  take(request: LeaseRequest): Lease | NoLease {
    const now = Date.now();
    const lease = this.#pool.lease(request, now);
    if (!('credentialId' in lease)) this.#askToProbe(lease, now);
    else if (lease.probeOf !== null) {
      this.#probes.add(lease);
      this.#reporter.probeStarted(lease);
    }
    return lease;
  }

  /** The soonest time at which `take` would give a lease (epoch milliseconds); null when no wait would help. */
  availableAt(request: LeaseRequest): number | null {
    return this.#pool.availableAt(request, Date.now());
  }

  /** The upstream has answered. */
  settle(lease: Lease, status: number, { against, retryAfterMs }: AnswerVerdict): void {
    if (against === null) {
      this.#endProbe(lease, status < 500);
      return;
    }
    this.#probes.delete(lease);
    const { credentialId, model, leasedAt } = lease;
    const report = this.#reporter.failed({
      credentialId,
      model,
      reason: against,
      status,
      retryAfterMs,
      leasedAt,
    });
    const now = Date.now();
    this.#pool.avoid(lease, against, now + (retryAfterMs ?? AVOID_MS), report, now);
  }

  /** The attempt ended without an answer: that says nothing about the credential. */
  release(lease: Lease): void {
    this.#endProbe(lease, false);
  }

  /** Otherwise leave would go round all workers, also those without a request, before it comes here. */
  #askToProbe({ retryAt }: NoLease, now: number): void {
    if (retryAt === null || retryAt > now || now - this.#wantedAt < WANTED_EVERY_MS) return;
    this.#wantedAt = now;
    this.#reporter.probeWanted();
  }

  #endProbe(lease: Lease, hasRecovered: boolean): void {
    if (this.#probes.delete(lease)) this.#reporter.probeEnded(lease, hasRecovered);
  }
}

/** What a client is told when no credential can be leased: when to come back, if that is known. */
export function noLeaseError(
  { retryAt }: NoLease,
  now: number,
): { readonly error: ErrorReply; readonly headers: readonly string[] } {
  if (retryAt === null) {
    const message = 'flow-proxy has no credential to send this request with.';
    return { error: { status: 503, code: 'no_credentials', message }, headers: [] };
  }
  const seconds = Math.max(1, Math.ceil((retryAt - now) / 1000));
  const message = `Every credential is over its quota; the first is back in ${seconds} s.`;
  return {
    error: { status: 429, code: 'all_credentials_throttled', message },
    headers: ['Retry-After', String(seconds)],
  };
}
