import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compactVerify, decodeProtectedHeader, jwtVerify, SignJWT } from 'jose';
import { mintToken } from '../../../src/credentials/token.ts';

const claims = { clientId: 'id-ü', clientSecret: 's3cret with spaces "and" \\quotes✓', tenant: 'flow' };
const key = (secret: string) => new TextEncoder().encode(secret);

describe('a minted token', () => {
  it('is verified by an independent library with the client secret as key, and with no other', async () => {
    const token = mintToken(claims);
    const { payload } = await jwtVerify(token, key(claims.clientSecret), { algorithms: ['HS256'] });
    assert.deepEqual(payload, claims);
    await assert.rejects(jwtVerify(token, key(`${claims.clientSecret}x`)), /signature verification failed/);
  });

  it('holds exactly the three claims in the order the upstream wants, without iat or exp', async () => {
    const extra = { weight: 3, tenant: 't', name: 'n', clientSecret: 'b', id: 'x', clientId: 'a' };
    const { payload } = await compactVerify(mintToken(extra), key('b'));
    assert.equal(new TextDecoder().decode(payload), '{"clientId":"a","clientSecret":"b","tenant":"t"}');
  });

  it('has the header that the upstream wants, byte for byte', () => {
    const token = mintToken(claims);
    assert.deepEqual(decodeProtectedHeader(token), { alg: 'HS256', typ: 'JWT' });
    assert.equal(
      Buffer.from(token.split('.')[0] ?? '', 'base64url').toString(),
      '{"alg":"HS256","typ":"JWT"}',
    );
  });

  it('equals the token that an independent library signs from the same claims', async () => {
    const signed = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .sign(key(claims.clientSecret));
    assert.equal(mintToken(claims), signed);
  });

  it('is one header-safe word, whatever the secret holds', () => {
    const clientSecret = '\r\nX-Evil: 1\0\u{1f600}';
    assert.match(mintToken({ ...claims, clientSecret }), /^[\w-]+\.[\w-]+\.[\w-]+$/);
  });
});
