// Snapshots, leases and failures for the tests of src/credentials.
import assert from 'node:assert/strict';
import type { CredentialFailure } from '../../../src/credentials/cooldown.ts';
import type { Lease, LeaseRequest, NoLease, Pool } from '../../../src/credentials/pool.ts';
import type { CredentialEntry } from '../../../src/credentials/secrets-file.ts';
import type { PooledCredential, PoolSnapshot, Suspension } from '../../../src/credentials/snapshot.ts';

export const MINUTE = 60_000;

/** A request for any model and of no conversation, unless a part says otherwise. */
export function wanting(part: Partial<LeaseRequest> = {}): LeaseRequest {
  return { model: null, affinityKey: null, excluded: [], ...part };
}

export function pooled(id: string, part: Partial<PooledCredential> = {}): PooledCredential {
  return { id, name: id, weight: 1, token: `token-of-${id}`, suspensions: [], ...part };
}

export function snapshotOf(version: number, ...credentials: PooledCredential[]): PoolSnapshot {
  return { version, credentials };
}

/** Out for every request until a minute after zero, unless a part says otherwise. */
export function suspension(part: Partial<Suspension> = {}): Suspension {
  return { model: null, reason: 'throttled', until: MINUTE, probe: null, ...part };
}

export function leased(answer: Lease | NoLease): Lease {
  assert.ok('credentialId' in answer, 'no credential was leased');
  return answer;
}

export function refused(answer: Lease | NoLease): NoLease {
  assert.ok('retryAt' in answer, 'a credential was leased');
  return answer;
}

/** Names of so many leases in a row. */
export function names(pool: Pool, count: number, request: LeaseRequest = wanting(), now = 0): string[] {
  return Array.from({ length: count }, () => leased(pool.lease(request, now)).name);
}

export function tally(list: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of list) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

export function entryOf(name: string, part: Partial<CredentialEntry> = {}): CredentialEntry {
  return {
    name,
    id: `id-${name}`,
    clientId: name,
    clientSecret: `secret-of-${name}`,
    tenant: 't',
    weight: 1,
    ...part,
  };
}

/** A 401, or a 429 when a part says throttled, of an attempt leased at zero. */
export function failureOf(name: string, part: Partial<CredentialFailure> = {}): CredentialFailure {
  const reason = part.reason ?? 'rejected';
  const status = reason === 'rejected' ? 401 : 429;
  return {
    credentialId: `id-${name}`,
    model: null,
    reason,
    status,
    retryAfterMs: null,
    leasedAt: 0,
    ...part,
  };
}

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
