import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricRoute } from '../../../src/proxy/metric-route.ts';

test('Paths of the API are their own routes, what is below one is a star, anything else is other', () => {
  const expected = {
    '/v1/messages': '/v1/messages',
    '/v1/messages/count_tokens': '/v1/messages/count_tokens',
    '/v1/messages/count_tokens/x': '/v1/messages/*',
    '/v1/images/generations': '/v1/images/*',
    '/v1/responses/resp_123/cancel': '/v1/responses/*',
    '/v1/modelsandmore': 'other',
    '/healthz': '/healthz',
    '/wp-login.php': 'other',
    '/__proto__': 'other',
  };
  for (const [path, route] of Object.entries(expected)) assert.equal(metricRoute(path), route, path);
});
