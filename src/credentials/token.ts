// Mints the bearer token of a credential. The token carries the client secret in plain base64: treat it as one.
import { createHmac } from 'node:crypto';

/** The three values that Flow LLM Proxy wants in a token, in the order it wants them. */
export interface TokenClaims {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tenant: string;
}

const HEADER = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url');

/**
 * Signs an HS256 JSON Web Token (RFC 7519, RFC 7515) over exactly the three claims, with the client secret as
 * key. About 10 µs: cheaper than a hop to any thread.
 */
export function mintToken({ clientId, clientSecret, tenant }: TokenClaims): string {
  const payload = Buffer.from(JSON.stringify({ clientId, clientSecret, tenant })).toString('base64url');
  const signingInput = `${HEADER}.${payload}`;
  const signature = createHmac('sha256', clientSecret).update(signingInput).digest('base64url');
  return `${signingInput}.${signature}`;
}
