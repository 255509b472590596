// Tries each credential once against the upstream, by the same connections and token as in service.
import type { Dispatcher } from 'undici';
import type { CredentialEntry } from '../credentials/secrets-file.ts';
import { mintToken } from '../credentials/token.ts';
import { codeOf, messageOf } from '../errors.ts';
import { bounded } from './bounded.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

export interface LiveOptions {
  readonly client: Dispatcher;
  readonly target: URL;
  readonly secretsFile: string;
  readonly limitMs: number;
}

/** For several: one after the other, as some at a time could be throttled for that alone. */
export async function tryCredential(credential: CredentialEntry, options: LiveOptions): Promise<Finding> {
  const check = `credential ${credential.name}`;
  const begun = performance.now();
  try {
    const status = await ask(credential, options);
    return judgeStatus(check, status, Math.round(performance.now() - begun), options.secretsFile);
  } catch (cause) {
    const reason = messageOf(cause) || codeOf(cause) || 'no answer';
    return fail(check, `could not be tried: ${reason}`, 'see the steps to the upstream above');
  }
}

export function judgeStatus(check: string, status: number, tookMs: number, secretsFile: string): Finding {
  if (status === 200) return ok(check, 'accepted: GET /v1/models 200', tookMs);
  if (status === 401 || status === 403) {
    const fix = `correct clientId, clientSecret and tenant in ${secretsFile}, or ask for new ones`;
    return fail(check, `refused by the upstream (${status})`, fix);
  }
  if (status === 429) return warn(check, 'throttled by the upstream (429)', 'wait, or add credentials');
  return warn(check, `answered with ${status}, which tells nothing of the credential`, 'try again later');
}

async function ask(credential: CredentialEntry, { client, target, limitMs }: LiveOptions): Promise<number> {
  const abort = new AbortController();
  const asked = client
    .request({
      origin: target.origin,
      path: `${target.pathname.replace(/\/$/, '')}/v1/models`,
      method: 'GET',
      headers: { authorization: `Bearer ${mintToken(credential)}`, accept: 'application/json' },
      signal: abort.signal,
    })
    .then(async ({ statusCode, body }) => {
      await body.dump({ limit: 16 * 1024 * 1024 });
      return statusCode;
    });
  return bounded(limitMs, asked, () => abort.abort());
}
