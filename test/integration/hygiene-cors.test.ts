// Web pages in browsers (CORS): off unless a setting names their origins; then preflights are answered here.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFlowProxy } from '../harness/flow-proxy.ts';
import { type Answer, call } from '../harness/http-call.ts';
import { startRecordedProxy } from '../harness/recorded-proxy.ts';
import { startRecordingUpstream } from '../harness/recording-upstream.ts';
import { ClientKeysFile } from './client-keys-file.ts';

const PAGE = 'https://app.example.com';
const PREFLIGHT = {
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'authorization, content-type, x-stainless-os',
};
const THEIRS =
  'HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: https://theirs\r\nContent-Length: 2\r\n\r\nok';

function preflight(url: string, origin: string): Promise<Answer> {
  return call(`${url}/v1/chat/completions`, { method: 'OPTIONS', headers: { ...PREFLIGHT, origin } });
}

test('by default a preflight is forwarded like anything else, and answers stay as they are', async (t) => {
  const { proxy, upstream } = await startRecordedProxy({}, t);
  upstream.answer = () => THEIRS;
  const answer = await preflight(proxy.url, PAGE);
  assert.equal(answer.text, 'ok');
  assert.equal(answer.headers['access-control-allow-origin'], 'https://theirs');
  assert.match(upstream.messages[0]?.head ?? '', /^OPTIONS \/base\/v1\/chat\/completions /);
});

test('with origins named, preflights are answered here, theirs with a yes', async (t) => {
  const { proxy, upstream } = await startRecordedProxy({ CORS_ORIGINS: `${PAGE},http://localhost:3000` }, t);
  upstream.answer = () => THEIRS;
  const welcome = await preflight(proxy.url, PAGE);
  assert.deepEqual([welcome.status, welcome.text], [204, '']);
  assert.equal(welcome.headers['access-control-allow-origin'], PAGE);
  assert.equal(welcome.headers['access-control-allow-headers'], PREFLIGHT['access-control-request-headers']);
  assert.match(String(welcome.headers['access-control-allow-methods']), /\bPOST\b/);
  assert.match(String(welcome.headers['vary']), /Origin/);
  for (const origin of ['https://evil.example', 'null', `${PAGE}.evil.example`, 'http://app.example.com']) {
    const refused = await preflight(proxy.url, origin);
    assert.equal(refused.status, 403, origin);
    assert.match(refused.text, /origin_not_allowed/);
    assert.equal(refused.headers['access-control-allow-origin'], undefined);
  }
  assert.equal(upstream.messages.length, 0);
});

test('answers and errors may then be read by these pages only, whatever the upstream says of it', async (t) => {
  const { proxy, upstream } = await startRecordedProxy({ CORS_ORIGINS: PAGE }, t);
  upstream.answer = () => THEIRS;
  for (const [path, status] of [
    ['/v1/models', 200],
    ['/v1/..;/x', 400],
  ] as const) {
    const mine = await call(`${proxy.url}${path}`, { headers: { origin: PAGE } });
    assert.deepEqual([mine.status, mine.headers['access-control-allow-origin']], [status, PAGE]);
    const other = await call(`${proxy.url}${path}`, { headers: { origin: 'https://evil.example' } });
    assert.deepEqual([other.status, other.headers['access-control-allow-origin']], [status, undefined]);
    assert.match(String(other.headers['vary']), /Origin/);
  }
  const plain = await call(`${proxy.url}/v1/x`, { method: 'OPTIONS' });
  assert.equal(plain.text, 'ok', 'what is no preflight is forwarded');
});

test('every origin is welcome with *, and a preflight needs no client key', async (t) => {
  const upstream = await startRecordingUpstream(t);
  const credentials = [{ clientId: 'id', clientSecret: 'a-secret-of-one', tenant: 't' }];
  const keys = new ClientKeysFile(t);
  await keys.add('somebody');
  const settings = { CORS_ORIGINS: '*', CLIENT_KEYS_FILE: keys.path };
  const proxy = await startFlowProxy({ upstream: upstream.url, credentials, settings }, t);
  const welcome = await preflight(proxy.url, 'https://anywhere.example');
  assert.deepEqual([welcome.status, welcome.headers['access-control-allow-origin']], [204, '*']);
  const refused = await call(`${proxy.url}/v1/models`, { headers: { origin: 'https://anywhere.example' } });
  assert.deepEqual([refused.status, refused.headers['access-control-allow-origin']], [401, '*']);
});
