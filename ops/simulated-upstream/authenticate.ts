// Decides whose request this is: verifies the bearer JWT with jose and remembers the tokens it accepted.
// Strict on purpose: header and payload must be byte for byte what Flow documents.
import { compactVerify } from 'jose';
import type { SimulatedCredential } from './credentials.ts';
import { isJsonObject, parseJson } from './json.ts';

const HEADER = '{"alg":"HS256","typ":"JWT"}';
const REMEMBERED_TOKENS = 10_000;

export type Identity =
  | { readonly kind: 'known'; readonly clientId: string }
  | { readonly kind: 'refused'; readonly reason: string };

export class Authenticator {
  readonly #credentials: readonly SimulatedCredential[];
  readonly #remembered = new Map<string, Identity>();

  constructor(credentials: readonly SimulatedCredential[]) {
    this.#credentials = credentials;
  }

  /** Answers who sent this Authorization header, or why nobody known did. */
  async identify(authorization: string | undefined): Promise<Identity> {
    if (authorization === undefined) return refused('No api key passed in.');
    const remembered = this.#remembered.get(authorization);
    if (remembered !== undefined) return remembered;
    const token = /^Bearer (\S+)$/.exec(authorization)?.[1];
    if (token === undefined) return refused('Malformed Authorization header, expected "Bearer <token>".');
    const identity = await this.#verify(token);
    if (identity.kind === 'known') this.#remember(authorization, identity);
    return identity;
  }

  async #verify(token: string): Promise<Identity> {
    const [header, payload, signature, ...rest] = token.split('.');
    if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) {
      return refused('The token is not a JWT.');
    }
    if (decode(header) !== HEADER) return refused(`The token header must be ${HEADER}.`);
    const credential = this.#owner(decode(payload));
    if (credential === undefined) return refused('The token payload names no known client.');
    try {
      await compactVerify(token, new TextEncoder().encode(credential.clientSecret), {
        algorithms: ['HS256'],
      });
    } catch {
      return refused('The token signature is not valid.');
    }
    return { kind: 'known', clientId: credential.clientId };
  }

  #owner(payload: string): SimulatedCredential | undefined {
    const claims = parseJson(payload);
    if (!isJsonObject(claims)) return undefined;
    const named = this.#credentials.filter(({ clientId }) => clientId === claims['clientId']);
    return named.find((credential) => payloadOf(credential) === payload);
  }

  #remember(authorization: string, identity: Identity): void {
    if (this.#remembered.size >= REMEMBERED_TOKENS) {
      const [oldest] = this.#remembered.keys();
      if (oldest !== undefined) this.#remembered.delete(oldest);
    }
    this.#remembered.set(authorization, identity);
  }
}

function payloadOf({ clientId, clientSecret, tenant }: SimulatedCredential): string {
  return JSON.stringify({ clientId, clientSecret, tenant });
}

function decode(segment: string): string {
  return Buffer.from(segment, 'base64url').toString('utf8');
}

function refused(reason: string): Identity {
  return { kind: 'refused', reason };
}
