import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { storedHash } from '../../../src/clients/client-key.ts';
import type { ClientKey } from '../../../src/clients/snapshot.ts';
import { Admission } from '../../../src/proxy/admission.ts';
import { Exchange } from '../../../src/proxy/exchange.ts';
import { KeptBody } from '../../../src/proxy/kept-body.ts';
import { LimitGate } from '../../../src/proxy/limit-gate.ts';
import type { Refusal } from '../../../src/proxy/refusal.ts';
import { NO_BODY, type RequestBody } from '../../../src/proxy/request-body.ts';

const KEY = 'fp_the-right-one';

interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly path?: string;
  readonly query?: string;
  readonly address?: string;
}

const CHAT = '/v1/chat/completions';

function exchangeOf(options: RequestOptions): Exchange {
  const { headers = {}, body, path: at = CHAT, query = '', address = '127.0.0.1' } = options;
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: address });
  const request = new IncomingMessage(socket);
  request.headers = { ...headers };
  const path = { path: at, query, isForward: false };
  const exchange = new Exchange(request, new ServerResponse(request), path);
  const taken: RequestBody = body === undefined ? NO_BODY : new KeptBody([Buffer.from(body)]);
  exchange.body = taken;
  return exchange;
}

function admissionOf(needsKey: boolean, allowed: readonly string[], ...keys: readonly Partial<ClientKey>[]) {
  const asked: string[] = [];
  const gate = new LimitGate({ admit: (_, client) => asked.push(client), release: () => {} });
  const admission = new Admission({ needsKey, allowed }, gate);
  const whole = keys.map((key) => ({
    name: 'ci',
    hash: storedHash(KEY),
    models: null,
    isLimited: false,
    ...key,
  }));
  admission.apply({ version: 1, keys: whole });
  return { admission, gate, asked };
}

const codeOf = (refusal: Refusal | null | undefined): string | undefined =>
  refusal == null ? undefined : `${refusal.error.status} ${refusal.error.code}`;
const bearer = { headers: { authorization: `Bearer ${KEY}` } };

describe('the address of a client', () => {
  it('lets in whom the list names, by the connection and by no header', () => {
    const { admission } = admissionOf(false, ['10.0.0.0/8']);
    assert.equal(admission.checkAddress(exchangeOf({ address: '::ffff:10.1.1.1' })), null);
    const headers = { 'x-forwarded-for': '10.1.1.1', 'x-real-ip': '10.1.1.1', forwarded: 'for=10.1.1.1' };
    const refusal = admission.checkAddress(exchangeOf({ address: '8.8.8.8', headers }));
    assert.equal(codeOf(refusal), '403 client_not_allowed');
    assert.equal(refusal?.detail, 'from 8.8.8.8');
    assert.equal(admission.refusals.address, 1);
  });
});

describe('the key of a client', () => {
  const { admission } = admissionOf(true, ['*'], {});
  const identify = (headers: Readonly<Record<string, string>>): string | undefined =>
    codeOf(admission.identify(exchangeOf({ headers })));

  it('comes as a bearer token or as x-api-key, either of which may be something else', () => {
    for (const headers of [
      { authorization: `Bearer ${KEY}` },
      { authorization: `bearer  ${KEY} ` },
      { 'x-api-key': KEY },
      { authorization: 'Bearer sk-other', 'x-api-key': KEY },
      { authorization: `Bearer ${KEY}`, 'x-api-key': 'sk-other' },
      { authorization: 'Basic dTpw', 'x-api-key': KEY },
    ]) {
      assert.equal(identify(headers), undefined, JSON.stringify(headers));
    }
  });

  it('gives the exchange the name of its client', () => {
    const exchange = exchangeOf(bearer);
    assert.equal(admission.identify(exchange), null);
    assert.equal(exchange.client?.name, 'ci');
  });

  it('is refused when it is another, and asked for when there is none', () => {
    const before = admission.refusals.key;
    assert.equal(identify({}), '401 missing_client_key');
    assert.equal(identify({ authorization: `Basic ${btoa(`ci:${KEY}`)}` }), '401 missing_client_key');
    assert.equal(identify({ authorization: KEY }), '401 missing_client_key');
    assert.equal(identify({ 'x-api-key': `${KEY}x` }), '401 invalid_client_key');
    assert.equal(identify({ 'x-api-key': storedHash(KEY) }), '401 invalid_client_key');
    assert.equal(admission.refusals.key, before + 5);
  });

  it('is in no message', () => {
    const refusal = admission.identify(exchangeOf({ headers: { 'x-api-key': 'fp_canary' } }));
    assert.ok(!JSON.stringify(refusal).includes('canary'));
    assert.deepEqual(refusal?.headers, ['WWW-Authenticate', 'Bearer realm="flow-proxy"']);
  });

  it('is not looked at when none is wanted', () => {
    const open = admissionOf(false, ['*']).admission;
    const exchange = exchangeOf(bearer);
    assert.equal(open.identify(exchange), null);
    assert.equal(exchange.client, null);
  });

  it('is valid or not by the newest snapshot, in whatever order they come', () => {
    const { admission } = admissionOf(true, ['*'], {});
    admission.apply({ version: 3, keys: [] });
    admission.apply({
      version: 2,
      keys: [{ name: 'ci', hash: storedHash(KEY), models: null, isLimited: false }],
    });
    assert.equal(admission.keys, 0);
    assert.equal(codeOf(admission.identify(exchangeOf(bearer))), '401 invalid_client_key');
  });
});

describe('a key for certain models', () => {
  const { admission } = admissionOf(true, ['*'], { models: ['gpt-4o*'] });
  function check(options: RequestOptions): string | undefined {
    const exchange = exchangeOf({ ...options, headers: { ...bearer.headers, ...options.headers } });
    assert.equal(admission.identify(exchange), null);
    assert.equal(admission.readsModels(exchange), true);
    let result: Refusal | null | undefined;
    admission.enter(exchange, new EventEmitter(), (refusal) => {
      result = refusal;
    });
    assert.notEqual(result, undefined, 'no question needed');
    return codeOf(result);
  }
  const NOT_ALLOWED = '403 model_not_allowed';
  const UNREADABLE = '403 model_unreadable';

  it('lets in the models that one of its patterns matches, and no other', () => {
    assert.equal(check({ body: '{"model":"gpt-4o-mini"}' }), undefined);
    assert.equal(check({ body: '{"model":"gpt-5"}' }), NOT_ALLOWED);
    assert.equal(check({ query: '?model=gpt-4o' }), undefined);
    assert.equal(check({ query: '?model=gpt-5' }), NOT_ALLOWED);
  });

  it('lets in requests that name no model', () => {
    assert.equal(check({}), undefined);
    assert.equal(check({ body: '' }), undefined);
    assert.equal(check({ body: '{"input":"x"}' }), undefined);
  });

  it('is not deceived by a model that is named twice, in another spelling, or in a list', () => {
    for (const body of [
      '{"model":"gpt-4o","model":"gpt-5"}',
      '{"model":"gpt-5","model":"gpt-4o"}',
      '{"model":"gpt-4o","mod\\u0065l":"gpt-5"}',
      '{"model":"gpt-4o","Model":"gpt-5"}',
      '{"model":"gpt-4o,gpt-5"}',
    ]) {
      assert.equal(check({ body }), NOT_ALLOWED, body);
    }
    assert.equal(check({ body: '{"model":"gpt-4o"}', query: '?model=gpt-5' }), NOT_ALLOWED);
  });

  it('lets nothing in of which it cannot tell the model', () => {
    for (const body of [
      '{"model":["gpt-4o"]}',
      '{"model":"gpt-4o"',
      '--x\r\nname="model"',
      '{"fallbacks":["gpt-5"]}',
    ]) {
      assert.equal(check({ body }), UNREADABLE, body);
    }
    assert.equal(check({ body: '{"model":"gpt-4o"}', headers: { 'content-encoding': 'gzip' } }), UNREADABLE);
  });

  it('heeds the model in a path, which LiteLLM takes before that of the body', () => {
    const body = '{"model":"gpt-4o"}';
    for (const path of [
      '/openai/deployments/gpt-5/chat/completions',
      '/openai/%64eployments/gpt%2D5/chat/completions',
      '/engines/gpt-5/chat/completions',
      '/v1beta/models/gpt-5:generateContent',
      '/bedrock/model/gpt-5/converse',
      '/openai//deployments//gpt-5/chat/completions',
    ]) {
      assert.equal(check({ path, body }), NOT_ALLOWED, path);
      assert.equal(check({ path }), NOT_ALLOWED, path);
      assert.equal(check({ path: path.replace(/gpt(?:-|%2D)5/, 'gpt-4o'), body }), undefined, path);
    }
    assert.equal(check({ path: '/openai/deployments/%ff/chat/completions', body }), UNREADABLE);
    assert.equal(check({ path: '/v1/models' }), undefined);
  });

  it('wants a WebSocket to name its model in the query, and is not deceived by a mere header', () => {
    const headers = { upgrade: 'websocket' };
    assert.equal(check({ headers }), UNREADABLE);
    assert.equal(check({ headers, query: '?model=gpt-4o-realtime' }), undefined);
    assert.equal(check({ headers, query: '?model=gpt-4o', body: '{"model":"gpt-5"}' }), NOT_ALLOWED);
  });
});

describe('a key with limits', () => {
  function enter(verdict: Parameters<LimitGate['onAdmitted']>[1]): Refusal | null | undefined {
    const { admission, gate } = admissionOf(true, ['*'], { isLimited: true });
    const exchange = exchangeOf(bearer);
    admission.identify(exchange);
    let result: Refusal | null | undefined;
    admission.enter(exchange, new EventEmitter(), (refusal) => {
      result = refusal;
    });
    assert.equal(result, undefined);
    gate.onAdmitted(1, verdict);
    return result;
  }

  it('goes on when the primary admits it', () => {
    assert.equal(enter({ type: 'admitted' }), null);
  });

  it('is told how long to wait, in whole seconds that are enough', () => {
    const rate = enter({ type: 'refused', limit: 'requestsPerMinute', most: 60, retryAfterMs: 12_001 });
    assert.equal(codeOf(rate), '429 client_rate_limited');
    assert.deepEqual(rate?.headers, ['Retry-After', '13']);
    const concurrent = enter({ type: 'refused', limit: 'concurrent', most: 2, retryAfterMs: 1_000 });
    assert.equal(codeOf(concurrent), '429 client_concurrency_limited');
    assert.deepEqual(concurrent?.headers, ['Retry-After', '1']);
  });

  it('is not valid any more when the primary does not know it any more', () => {
    assert.equal(codeOf(enter({ type: 'unknownKey' })), '401 invalid_client_key');
  });

  it('asks nobody when it has none', () => {
    const { admission, asked } = admissionOf(true, ['*'], {});
    const exchange = exchangeOf(bearer);
    admission.identify(exchange);
    let result: Refusal | null | undefined;
    admission.enter(exchange, new EventEmitter(), (refusal) => {
      result = refusal;
    });
    assert.equal(result, null);
    assert.deepEqual(asked, []);
  });
});
